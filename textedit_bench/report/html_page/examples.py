"""Select notable single edits by a fixed rule, to avoid cherry-picking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from textedit_bench.metrics.column import OK
from textedit_bench.report.collect import ComparableCells, StoredCell
from textedit_bench.report.rows import PERCENT, TRAINED, RowCells

EFFECT = "clip_direction"
"""The score that orders the edits of a method: comparable between prompts."""
TRUTHS = ("success", "clip_direction_in_loop")
"""Reference of the score for the largest disagreement: the ground truth, else the network in the loop."""
DISAGREEMENTS = 4
WORST = 3
RULE = (
    "Left the photo, right its edit. Of every method's edits at its default strength on trained prompts: the lowest, "
    "the median and the highest CLIP direction of the judge (the more the picture changed as the text says). Largest "
    "disagreement: edits that this judge ranks high and the ground truth (or, without it, the CLIP in the loop) low, "
    "or the other way round."
)


@dataclass(frozen=True)
class Example:
    """A selected edit.

    Attributes:
        cell: where it is stored.
        image: its name.
        caption: why it is shown.
    """

    cell: StoredCell
    image: str
    caption: str


def ordered_examples(collected: ComparableCells) -> dict[str, list[Example]]:
    """Return method title -> its worst, median and best edit; methods without the score are omitted."""
    found = {}
    for row, values in _ordered(collected):
        picks = (("worst", 0), ("median", len(values) // 2), ("best", len(values) - 1))
        found[row.title] = [
            _example(row, values.iloc[position], f"{name}: {values.iloc[position]['value']:.3f}")
            for name, position in picks
        ]
    return found


def worst_of_all(collected: ComparableCells) -> list[Example]:
    """Return the worst edits over all methods, one per method, the worst first."""
    lowest = sorted(((row, values.iloc[0]) for row, values in _ordered(collected)), key=lambda each: each[1]["value"])
    return [_example(row, first, f"{row.title}: {first['value']:.3f}") for row, first in lowest[:WORST]]


def disagreements(collected: ComparableCells) -> list[Example]:
    """Return the edits with the largest disagreement of score and truth over all methods, one per method and prompt."""
    frames = []
    rows = {row.title: row for row in _method_rows(collected)}
    for title, row in rows.items():
        judged = _values(row, EFFECT)
        for name in TRUTHS:
            truth = _values(row, name)
            if not truth.empty and not judged.empty:
                both = judged.merge(truth, on=["prompt_id", "image"], suffixes=("", "_truth"))
                frames.append(both.assign(title=title, truth=name))
                break
    if not frames:
        return []
    every = pd.concat(frames, ignore_index=True)
    every["gap"] = every["value"].rank(pct=True) - every["value_truth"].rank(pct=True)
    every["size"] = every["gap"].abs()
    every = every.sort_values(["size", "title", "prompt_id", "image"], ascending=[False, True, True, True])
    chosen = every.drop_duplicates(["title", "prompt_id"]).head(DISAGREEMENTS)
    return [_example(rows[r["title"]], r, _said(r)) for _, r in chosen.iterrows()]


def _said(row: pd.Series) -> str:
    higher = "judged better than the truth" if row["gap"] > 0 else "judged worse than the truth"
    truth = f"{100 * row['value_truth']:.0f} %" if row["truth"] in PERCENT else f"{row['value_truth']:.3f}"
    return f"{row['title']}, {higher}: judge {row['value']:.3f}, {row['truth']} {truth}"


def _ordered(collected: ComparableCells) -> Iterator[tuple[RowCells, pd.DataFrame]]:
    """Yield each method that has the score, with its edits in the order of their values."""
    for row in _method_rows(collected):
        values = _values(row, EFFECT)
        if not values.empty:
            yield row, values.sort_values(["value", "prompt_id", "image"], kind="stable").reset_index(drop=True)


def _method_rows(collected: ComparableCells) -> list[RowCells]:
    return [row for row in collected.rows if not row.control and row.prompt_set == TRAINED]


def _values(row: RowCells, metric: str) -> pd.DataFrame:
    chosen = row.records[(row.records["metric"] == metric) & (row.records["state"] == OK)]
    return chosen[["prompt_id", "image", "value"]].reset_index(drop=True)


def _example(row: RowCells, record: pd.Series, caption: str) -> Example:
    cell = next(cell for cell in row.cells if cell.identity.prompt_id == record["prompt_id"])
    return Example(cell, record["image"], caption)
