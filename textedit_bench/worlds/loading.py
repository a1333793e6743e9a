"""Load the world that a card names."""

from __future__ import annotations

from importlib import import_module

from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError
from textedit_bench.worlds.world import World


def load_world(card: DatasetCard, tier: str) -> World | None:
    """The procedural world behind a tier's photos, or None for real ones.

    Raises:
        UserError: unknown tier, or what the card names cannot be imported or is not a world.
    """
    named = card.tier(tier).world
    if named is None:
        return None
    where = f"data set {card.name}: world {named!r}"
    module, _, name = named.partition(":")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise UserError(f"{where} cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, World)):  # a card is data: it may call nothing else
        raise UserError(f"{where} is not a world; valid: module:Class of a subclass of World")
    return found()
