"""Split a user's own photos by their number, since no card states it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from textedit_bench.data.card import SourceCard, Split
from textedit_bench.errors import UserError

ORDER: tuple[Split, ...] = ("evaluation", "development", "train")
"""Evaluation comes first, then the split for choosing settings, then training and reference photos."""


def fit_splits(splits: Mapping[Split, int], there: int) -> dict[Split, int]:
    """Return disjoint splits for a source with ``there`` photos, none larger than on the card.

    Each split takes from the photos that those before it in `ORDER` leave; the last ones may be empty.
    """
    fitted: dict[Split, int] = {}
    for name in ORDER:
        if name in splits:
            fitted[name] = min(splits[name], there - sum(fitted.values()))
    return fitted


def count_entries(source: SourceCard, most: int) -> int:
    """Count the pictures or codes of a source, at most up to ``most``; nothing is decoded.

    Raises:
        UserError: nothing exists there, or the layout is wrong.
    """
    if source.path is None:  # samples are unlimited
        return most
    path = Path(source.path)
    if source.kind == "latents":
        from textedit_bench.data.codes import count_codes

        found = min(most, count_codes(path))
        if not found:
            raise UserError(f"source {path}: holds no codes")
        return found
    from textedit_bench.data.sources import open_source

    return sum(1 for _ in islice(open_source(source.kind, path).entries(), most))
