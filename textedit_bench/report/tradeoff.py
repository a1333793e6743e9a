"""Compare preservation at matched effect, over the whole strength curve of each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textedit_bench.metrics.column import AXES, OK
from textedit_bench.metrics.statistics.tradeoff import QUARTERS, Measure, compare
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.markdown import escape, table_lines, with_interval
from textedit_bench.report.rows import RowCells
from textedit_bench.seeds import seed_of

KEYS = ("dataset", "prompt_set", "method", "title", "effect", "kept", "reference")
MEASURES = (*(f"kept_at_{100 * share:.0f}" for share in QUARTERS), "area", "reach")
_ENDS = ("", "_low", "_high")


def tradeoff_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per method and prompt set: preservation at 25, 50 and 75 % of the common effect, area, reach.

    Controls are not compared: they do not reach any effect. Effect and preservation are the first pair of
    `textedit_bench.metrics.column.AXES` that was measured.
    """
    entries = []
    for part in collected:
        rows = [row for row in part.rows if not row.control]
        for prompt_set in dict.fromkeys(row.prompt_set for row in rows):
            block = [row for row in rows if row.prompt_set == prompt_set]
            entries += _block(part, [row for row in block if row.prompts == _all_prompts(block)])
    return pd.DataFrame(entries, columns=[*KEYS, *(f"{name}{end}" for name in MEASURES for end in _ENDS)])


def _all_prompts(rows: Sequence[RowCells]) -> tuple[str, ...]:
    return tuple(sorted({prompt for row in rows for prompt in row.prompts}))


def _block(part: ComparableCells, rows: Sequence[RowCells]) -> list[dict[str, object]]:
    """Return entries of rows that have every prompt of their block."""
    for effect, kept in AXES:
        cubes = [(_cube(row, effect, part.images), _cube(row, kept, part.images)) for row in rows]
        # A curve needs effect and preservation at every strength.
        usable = [i for i, pair in enumerate(cubes) if all(np.isfinite(c).any((1, 2)).all() for c in pair)]
        if not usable:
            continue
        seed = seed_of(tradeoff=part.dataset, prompts=len(rows[0].prompts)) % 2**32
        found = compare(np.stack([cubes[i][0] for i in usable]), np.stack([cubes[i][1] for i in usable]), seed=seed)
        measures = dict(zip(MEASURES, [*found.matched.values(), found.area, found.reach], strict=True))
        return [
            _entry(part.dataset, rows[row], (effect, kept), found.reference, measures, position)
            for position, row in enumerate(usable)
        ]
    return []


def _entry(
    dataset: str,
    row: RowCells,
    axes: tuple[str, str],
    reference: float,
    measures: dict[str, Measure],
    position: int,
) -> dict[str, object]:
    keys = (dataset, row.prompt_set, row.method, row.title, *axes, reference)
    entry: dict[str, object] = dict(zip(KEYS, keys, strict=True))
    for name, measure in measures.items():
        for end, values in zip(_ENDS, (measure.point, measure.low, measure.high), strict=True):
            entry[f"{name}{end}"] = float(values[position])
    return entry


def _cube(row: RowCells, metric: str, images: Sequence[str]) -> np.ndarray:
    """Return values [strengths, prompts, images] of a metric, nan if the state is not ok."""
    frames = [cell.records() for cell in row.cells]
    records = pd.concat([f[(f["metric"] == metric) & (f["state"] == OK)] for f in frames], ignore_index=True)
    layers = []
    for strength in row.cells[0].identity.strengths:
        wide = records[records["strength"] == strength].pivot(index="prompt_id", columns="image", values="value")
        layers.append(wide.reindex(index=list(row.prompts), columns=list(images)).to_numpy(np.float64))
    return np.stack(layers)


def tradeoff_markdown(frame: pd.DataFrame) -> str:
    """Render the comparison as Markdown."""
    heads = ["Method", *(f"Kept at {100 * s:.0f} %" for s in QUARTERS), "Area ↑", "Reach ↑"]
    lines = ["# Comparison at matched effect", ""]
    for (dataset, prompt_set, effect, kept), rows in frame.groupby(
        ["dataset", "prompt_set", "effect", "kept"], sort=False
    ):
        reference = rows["reference"].iloc[0]
        cells = [
            [escape(r["title"]), *(with_interval(r[n], r[f"{n}_low"], r[f"{n}_high"], ".3f") for n in MEASURES)]
            for r in rows.to_dict("records")
        ]
        lines += [
            f"**{escape(dataset)}, {prompt_set} prompts**: {effect} (effect) against {kept}. All rows reach an effect "
            f"of {reference:.3f}; the first columns show what is kept at 25, 50 and 75 % of it.",
            "",
            *table_lines(heads, cells),
            "",
        ]
    lines.append(
        "Kept: on the upper envelope of the method's strength curve. Area: mean of the envelope over the effects that "
        "every row reaches. Reach: the largest mean effect over the strengths. Brackets: 95 % intervals of whole "
        "curves, resampled over prompts and images alike for every row."
    )
    return "\n".join(lines) + "\n"
