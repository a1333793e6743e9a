"""Locate a method's own weights, or say how to train them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.assets.manifest import list_assets
from textedit_bench.errors import UserError
from textedit_bench.places import trained_folder

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor


def weights_folder(package: str, domain: Domain) -> Path:
    """Return the folder of a method's weights for a domain.

    It is the method's folder for shipped weights, such as those of the mini tier; for downloaded generators it is the
    user's data folder, since weights trained on them are neither shipped nor stored with installed code.

    Args:
        package: the method's, such as ``__package__``.
        domain: the data set and tier.
    """
    if domain.tier_card.networks.get("generator") in list_assets():
        return trained_folder() / package.rpartition(".")[2]
    return Path(str(files(package))) / "weights"


def lacks_weights(editor: Editor) -> bool:
    """Whether a method needs weights and has none for its domain: neither its own nor the authors', nor given ones."""
    path = editor.weights_path()
    there = (path is not None and path.exists()) or editor.released_files() or editor.given_files()
    return editor.needs_weights and not there


def not_trained(editor: Editor) -> UserError:
    """Describe where missing weights were searched, and the command that trains them."""
    name, domain = editor.info.name, editor.domain
    return UserError(
        f"{name} has no trained weights for {domain.name}, tier {domain.tier} (expected {editor.weights_path()}); "
        f"train them with: textedit-bench train --method {name} --dataset {domain.name} --tier {domain.tier}"
    )
