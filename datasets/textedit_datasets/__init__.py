"""The built-in data set cards.

``textedit_datasets.<name>`` is the path of ``<name>.yaml``; a card's weights lie beside it.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def __getattr__(name: str) -> Traversable:
    card = files(__name__) / f"{name}.yaml"
    if name.startswith("_") or not card.is_file():
        raise AttributeError(f"module {__name__!r} has no card {name!r}")
    return card
