"""Candidates of a tuning: every combination of the values listed for each setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo


def combinations(grid: Mapping[str, Sequence[Any]], info: MethodInfo) -> list[dict[str, Any]]:
    """Return every combination of the grid, in order; only the card's settings if the grid is empty.

    Args:
        grid: setting -> values to try.
        info: the method's card.

    Raises:
        UserError: a setting that the card does not know, or a value of another type.
    """
    found = list(_product(grid))
    for candidate in found:
        info.check_settings(candidate, training=False)
    return found


def read_grid(items: Sequence[str], values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Convert parsed ``NAME=[...]`` items to name -> list of values.

    Args:
        items: as typed, for the message.
        values: parsed; a single value counts as a list of one.

    Raises:
        UserError: an empty list.
    """
    grid = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    for name, listed in grid.items():
        if not listed:
            raise UserError(f"--grid: {name} lists no value in {', '.join(items)}; valid: NAME=[VALUE, ...]")
    return grid


def _product(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
