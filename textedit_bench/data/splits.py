"""Split a user's own photos by what is there, since no card counts them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from textedit_bench.data.card import SourceCard, Split
from textedit_bench.errors import UserError

ORDER: tuple[Split, ...] = ("evaluation", "development", "train")
"""What is compared comes first, then what knobs are chosen on, then what trains and what sets are compared with."""


def fit_splits(splits: Mapping[Split, int], there: int) -> dict[Split, int]:
    """The splits of a data set whose photos are replaced by ``there`` others: none overlaps, none is larger than asked.

    Each takes what those before it in `ORDER` leave; the last ones may be left with 0.
    """
    fitted: dict[Split, int] = {}
    for name in ORDER:
        if name in splits:
            fitted[name] = min(splits[name], there - sum(fitted.values()))
    return fitted


def count_entries(source: SourceCard, most: int) -> int:
    """How many pictures or codes a source lists, counted no further than ``most``; nothing is decoded.

    Raises:
        UserError: nothing is there, or it is laid out in another way.
    """
    if source.path is None:  # samples are drawn without end
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
