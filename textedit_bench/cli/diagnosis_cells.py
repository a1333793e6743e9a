"""Determine which method can run on which data set and tier, and what the others lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textedit_bench.errors import UserError

if TYPE_CHECKING:
    from textedit_bench.data.card import DatasetCard
    from textedit_bench.info import MethodInfo

READY = "ready"


def cells() -> dict[str, dict[str, str]]:
    """Map ``"<data set> <tier>"`` -> method -> ``ready``, or what is missing and how to get it; imports torch."""
    from textedit_bench.registry import list_datasets, list_methods

    methods = [info for info in list_methods() if not info.control]
    return {
        f"{card.name} {tier}": {info.name: _cell(info, card, tier) for info in methods}
        for card in list_datasets()
        for tier in card.tiers
    }


def _cell(info: MethodInfo, card: DatasetCard, tier: str) -> str:
    from textedit_bench.registry import missing_file

    if info.datasets and card.name not in info.datasets:
        return f"serves {', '.join(info.datasets)} only"
    lacks = missing_file(card, tier)
    if lacks is None and (absent := card.tier(tier).lacks()):
        lacks = f"{absent} (not on the card {card.path})"
    if lacks is not None:
        return f"the data set lacks {lacks}"
    return _weights(info, card, tier)


def _weights(info: MethodInfo, card: DatasetCard, tier: str) -> str:
    """Report the state of a method's weights; a method trained per prompt is trained by the first edit."""
    from textedit_bench.domain import Domain
    from textedit_bench.registry import new_editor

    try:
        editor = new_editor(info.name, Domain(card, tier))
        path, released, lack = editor.weights_path(), editor.released_weights(), editor.lacks()
    except UserError as error:
        return str(error)
    except Exception as error:  # a third-party class may raise anything
        return f"cannot be constructed ({type(error).__name__}: {error})"
    if lack is not None:
        return lack
    if info.trains != "per-dataset" or released is not None or (path is not None and path.is_file()):
        return READY
    train = f"textedit-bench train --method {info.name} --dataset {card.name} --tier {tier}"
    return f"not trained; expected at {path}; run: {train}"
