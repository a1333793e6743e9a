"""Average ranks of the methods over prompts and data sets, with intervals and the critical difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.statistics.ranks import average_ranks, rank_intervals
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.columns import column_specs
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.formats import escape, table_lines, with_interval
from textedit_bench.report.rows import TRAINED, RowCells

if TYPE_CHECKING:
    from matplotlib.figure import Figure


COLUMNS = ("metric", "title", "average_rank", "low", "high", "blocks", "friedman_p", "critical_difference", "cliques")


def ranks_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per headline metric and method; a block is a prompt of a data set, ranked by its mean.

    ``low`` and ``high`` are the 95 % interval of the average rank (`rank_intervals`). ``cliques`` names the groups (by
    letters, shared with the methods in them) whose ranks do not differ significantly. Metrics of a network that methods
    may have optimised are not ranked, nor are controls and methods without every trained prompt. Empty for fewer than
    two methods.
    """
    parts = [(part, whole_rows(part)) for part in collected]
    titles = sorted({row.title for _, rows in parts for row in rows})
    specs = {
        spec.name: spec
        for part, _ in parts
        if part.cells
        for spec in column_specs(part.cells[0].manifest.protocols)
        if spec.scope == "image" and not spec.in_loop
    }
    entries = []
    for name, spec in specs.items():
        grids = shared_grids(parts, titles, name)
        blocks = np.concatenate([_means(grid) for grid in grids], 1) if grids else np.empty((len(titles), 0))
        if len(titles) < 2 or not np.isfinite(blocks).all(0).any():
            continue
        ranks = average_ranks(blocks, higher_is_better=spec.higher_is_better)
        low, high = rank_intervals(grids, higher_is_better=spec.higher_is_better)
        for i in np.argsort(ranks.average, kind="stable"):
            letters = "".join(chr(ord("a") + c) for c, clique in enumerate(ranks.cliques) if int(i) in clique)
            tests = (ranks.blocks, ranks.friedman_p, ranks.critical_difference, letters)
            figures = (ranks.average[i], low[i], high[i], *tests)
            entries.append(dict(zip(COLUMNS, (name, titles[i], *figures), strict=True)))
    return pd.DataFrame(entries, columns=list(COLUMNS))


def whole_rows(part: ComparableCells) -> list[RowCells]:
    """Return the rows of methods that have every trained prompt; others would leave few that all methods share."""
    rows = [row for row in part.rows if not row.control]
    counts = {row.title: len(row.prompts) for row in rows if row.prompt_set == TRAINED}
    return [row for row in rows if counts.get(row.title, 0) == max(counts.values(), default=0)]


def shared_grids(
    parts: Sequence[tuple[ComparableCells, list[RowCells]]], titles: Sequence[str], metric: str
) -> list[NDArray[np.float64]]:
    """Return values [methods, prompts, images], one entry per data set, of the prompts that every method has.

    A cell in which any method has no value is nan for all.
    """
    grids = []
    for part, rows in parts:
        if not part.cells:
            continue
        by_prompt: dict[str, dict[str, NDArray[np.float64]]] = {}
        for row in rows:
            for prompt, values in zip(row.prompts, row.grid(metric, row.prompts, part.images), strict=True):
                by_prompt.setdefault(prompt, {})[row.title] = values
        shared = [prompt for prompt in sorted(by_prompt) if set(by_prompt[prompt]) == set(titles)]
        if not shared:
            continue
        grid = np.array([[by_prompt[prompt][title] for prompt in shared] for title in titles], dtype=np.float64)
        grid[:, ~np.isfinite(grid).all(0)] = np.nan
        grids.append(grid)
    return grids


def _means(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute means over images [methods, prompts]; nan if a prompt has no common image."""
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = np.nansum(grid, 2) / np.isfinite(grid).sum(2)
    return means


def ranks_markdown(frame: pd.DataFrame) -> str:
    """Render average ranks as Markdown."""
    lines = ["# Average ranks", ""]
    for metric, rows in frame.groupby("metric", sort=False):
        first = rows.iloc[0]
        lines += [
            f"**{escape(metric)}**: {first['blocks']} blocks (prompt x data set), Friedman p = "
            f"{first['friedman_p']:.2g}, critical difference {first['critical_difference']:.2f}",
            "",
        ]
        cells = [
            (escape(r["title"]), with_interval(r["average_rank"], r["low"], r["high"]), r["cliques"])
            for _, r in rows.iterrows()
        ]
        lines += [*table_lines(("Method", "Average rank ↓", "Not told apart"), cells, "lrl"), ""]
    lines.append(
        "Ranks within each block on the mean over images that every method has a value of; 1 is best. Brackets: 95 % "
        "interval, bootstrap over images and prompts, alike for every method; a single point says that no resample "
        "changed the order. Methods that share a letter differ by no more than Nemenyi's critical difference (5 %); "
        "ranks depend on the methods present."
    )
    return "\n".join(lines) + "\n"


def draw_ranks(rows: pd.DataFrame, metric: str, looks: Mapping[str, Look], *, width: float = 580) -> Figure:
    """Draw one metric's critical-difference diagram: a point per method, a bar per group without a difference.

    Args:
        rows: of one metric, from `textedit_bench.report.ranks.ranks_frame`.
        metric: its title.
        looks: of the methods.
        width: pixels.
    """
    rows = rows.sort_values("average_rank", kind="stable").reset_index(drop=True)
    letters = sorted({letter for cliques in rows["cliques"] for letter in str(cliques)})
    groups = [rows[rows["cliques"].astype(str).str.contains(letter, regex=False)] for letter in letters]
    groups = [group for group in groups if len(group) > 1]
    longest = 34 if width > 400 else 20
    left = canvas.names_width(list(rows["title"]), longest)
    right = 14 + 7.0 * len(groups)
    figure = canvas.blank(width, 20.0 * len(rows) + 46)
    axis = canvas.place(figure, left, 4, width - left - right, 20.0 * len(rows))
    axis.set_xlim(0.8, max(len(rows), 2) + 0.2)
    for i, row in enumerate(rows.to_dict("records")):
        look = looks[row["title"]]
        axis.plot([row["low"], row["high"]], [i, i], color=look.colour, linewidth=1.8, solid_capstyle="round")
        (mark,) = axis.plot(row["average_rank"], i, look.marker, color=look.colour, markersize=7)
        words = f"{row['title']}: average rank {row['average_rank']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        canvas.tell(mark, words, method=row["title"])
    for number, group in enumerate(groups):
        x = 1 + (8 + 7.0 * number) / (width - left - right)
        (line,) = axis.plot(
            [x, x], [group.index[0] - 0.3, group.index[-1] + 0.3], color=COLOURS["soft"], linewidth=3,
            solid_capstyle="round", transform=axis.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
        canvas.tell(line, f"not told apart: {', '.join(group['title'])}")
    canvas.caption(axis, f"average rank by {metric} (1 is best)" if width > 400 else "average rank")
    canvas.name_rows(axis, list(rows["title"]), longest)
    return figure
