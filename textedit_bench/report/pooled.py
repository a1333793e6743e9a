"""Pool all data sets of a census, one row per method: enough prompts to represent a population."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.column import bounds_of
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.formats import escape, table_lines
from textedit_bench.report.intervals import image_figures
from textedit_bench.report.ranks import shared_grids
from textedit_bench.seeds import seed_of

POOLED = "all"
"""Replacement of a data set's name."""
COLUMNS = ("prompt_set", "metric", "title", "value", "low", "high", "best", "prompts", "edits", "datasets")


def pooled_frame(collected: Sequence[ComparableCells], columns: Sequence[ColumnSpec]) -> pd.DataFrame:
    """Return one row per prompt set, per-image metric and method that was measured on every data set.

    Every prompt has the same weight. Intervals and ties generalise to other prompts and other photos. Empty for one
    data set, and if the prompts are not a census, since a few prompts are not representative.
    """
    parts = [part for part in collected if part.cells and part.fixed_prompts]
    entries = []
    for prompt_set in dict.fromkeys(row.prompt_set for part in parts for row in part.rows):
        for spec in columns:
            titles, grid = pooled_grid(parts, spec, prompt_set)
            if grid is None:
                continue
            figures = image_figures(
                grid,
                [not spec.in_loop] * len(titles),
                higher_is_better=spec.higher_is_better,
                bounds=bounds_of(spec.name),
                seed=seed_of(pooled=spec.name),
            )
            prompts = int(np.isfinite(grid).any((0, 2)).sum())
            entries += [
                (prompt_set, spec.name, title, f.point, f.low, f.high, f.best, prompts, f.n, len(parts))
                for title, f in zip(titles, figures, strict=True)
            ]
    return pd.DataFrame(entries, columns=list(COLUMNS))


def pooled_grid(
    parts: Sequence[ComparableCells], spec: ColumnSpec, prompt_set: str = ""
) -> tuple[list[str], NDArray[np.float64] | None]:
    """Return the methods that every data set has, and their values [methods, prompts, photos] of all data sets.

    Photos of one data set have no value for the prompts of another. None for fewer than two data sets or methods.

    Args:
        parts: data sets.
        spec: the metric.
        prompt_set: trained or unseen prompts; both if empty.
    """
    chosen = [
        (part, [row for row in part.rows if not row.control and prompt_set in ("", row.prompt_set)]) for part in parts
    ]
    named = [{row.title for row in rows} for _, rows in chosen]
    titles = sorted(set.intersection(*named)) if named else []
    if spec.scope != "image" or len(chosen) < 2 or len(titles) < 2:
        return titles, None
    grids = shared_grids(
        [(part, [row for row in rows if row.title in titles]) for part, rows in chosen], titles, spec.name
    )
    if len(grids) < len(chosen):
        return titles, None
    joined = np.full((len(titles), *np.sum([grid.shape[1:] for grid in grids], 0)), np.nan)
    prompt = photo = 0
    for grid in grids:
        joined[:, prompt : prompt + grid.shape[1], photo : photo + grid.shape[2]] = grid
        prompt, photo = prompt + grid.shape[1], photo + grid.shape[2]
    return titles, joined


def pooled_markdown(frame: pd.DataFrame, columns: Sequence[ColumnSpec]) -> str:
    """Render the rows as Markdown tables, one per prompt set."""
    specs = {spec.name: spec for spec in columns}
    lines = [
        "# All data sets together",
        "",
        "Every prompt of every data set counts alike; prompts are taken as drawn from many like them, so intervals are "
        "wider than those of a single census. Brackets: 95 % interval, bootstrap over prompts and photos. Bold: best, "
        "or not significantly worse.",
        "",
    ]
    for prompt_set, block in frame.groupby("prompt_set", sort=False):
        names = list(dict.fromkeys(block["metric"]))
        first = block.iloc[0]
        lines += [f"**{prompt_set} prompts**: {first['prompts']} of {first['datasets']} data sets", ""]
        rows = []
        for title, own in block.groupby("title", sort=True):
            values = own.set_index("metric")
            cells = [
                f"{'**' if r['best'] else ''}{specs[n].text(r['value'])}{'**' if r['best'] else ''} "
                f"[{specs[n].text(r['low'])}, {specs[n].text(r['high'])}]"
                for n in names
                for r in [values.loc[n]]
            ]
            rows.append([escape(str(title)), *cells])
        heads = ["Method", *(f"{specs[name].title} {specs[name].arrow}" for name in names)]
        lines += [*table_lines(heads, rows, "l" + "r" * len(names)), ""]
    return "\n".join(lines) + "\n"
