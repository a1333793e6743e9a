"""Locate a method's own weights."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.assets.manifest import list_assets
from textedit_bench.places import trained_folder

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


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
