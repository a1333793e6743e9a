"""Methods over all prompts and data sets: average ranks with the critical difference, and pooled values of a census."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.column import bounds_of
from textedit_bench.metrics.statistics.ranks import average_ranks, rank_intervals
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.formats import escape, table_lines, with_interval
from textedit_bench.report.intervals import image_figures
from textedit_bench.report.rows import TRAINED, ColumnSpec, RowCells, column_specs
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


RANK_COLUMNS = (
    "metric",
    "title",
    "average_rank",
    "low",
    "high",
    "blocks",
    "friedman_p",
    "critical_difference",
    "cliques",
)


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
            entries.append(dict(zip(RANK_COLUMNS, (name, titles[i], *figures), strict=True)))
    return pd.DataFrame(entries, columns=list(RANK_COLUMNS))


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
        rows: of one metric, from `ranks_frame`.
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
