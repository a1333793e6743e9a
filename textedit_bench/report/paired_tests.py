"""Paired tests of all pairs of methods, per metric, corrected for multiple testing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.statistics import POWER, pairwise_tests, spread_of
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.formats import escape, table_lines
from textedit_bench.report.pooled import POOLED, pooled_grid, shared_grids, whole_rows
from textedit_bench.report.rows import PERCENT, ColumnSpec
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


COLUMNS = (
    "dataset", "metric", "title", "other", "prompts", "better_by", "p", "detectable", "p_fixed", "detectable_fixed"
)  # fmt: skip
ALPHA = 0.05
"""Family-wise error rate of the pairs of one data set and metric."""
TESTED_PROMPTS = 8
"""Minimum sample of prompts for a test: of four, the sign-flip test errs 13 times too often at Holm's first step."""


def can_tell_apart(methods: int, photos: int, prompts: int) -> bool:
    """Whether any pair can be significant: with few photos, sign flips reach every difference by chance."""
    return prompts >= TESTED_PROMPTS and methods * (methods - 1) / 2 * 2.0 ** (1 - photos) <= ALPHA


def paired_tests_frame(collected: Sequence[ComparableCells], columns: Sequence[ColumnSpec]) -> pd.DataFrame:
    """Return one row per data set, per-image metric and ordered pair of methods, over their common prompts.

    ``better_by`` is the mean difference, positive if ``title`` is better than ``other``; ``p`` is the p-value of the
    paired sign-flip test, adjusted over all pairs by Holm's method; ``detectable`` is the smallest true difference that
    such a test finds with probability `POWER`. These treat the prompts as a sample, and ``p`` is nan for fewer than
    `TESTED_PROMPTS`; ``p_fixed`` and ``detectable_fixed`` treat them as fixed, with other images. Not compared are
    controls and methods without every trained prompt. Several data sets of a census also become one, named `POOLED`.
    """
    entries: list[tuple[object, ...]] = []
    for part in collected:
        rows = whole_rows(part)
        titles = sorted({row.title for row in rows})
        for spec in columns:
            grids = shared_grids([(part, rows)], titles, spec.name) if spec.scope == "image" else []
            entries += _pairs(part.dataset, spec, titles, grids[0]) if grids else []
    census = [part for part in collected if part.cells and part.fixed_prompts]
    for spec in columns:
        titles, grid = pooled_grid(census, spec)
        entries += _pairs(POOLED, spec, titles, grid) if grid is not None else []
    return pd.DataFrame(entries, columns=list(COLUMNS))


def _pairs(
    dataset: str, spec: ColumnSpec, titles: Sequence[str], grid: NDArray[np.float64]
) -> Iterator[tuple[object, ...]]:
    """Return entries of every two methods from their values [methods, prompts, images]."""
    if len(titles) < 2 or not np.isfinite(grid).any():
        return
    seed = seed_of(pairs=dataset, metric=spec.name) % 2**32
    difference, p = pairwise_tests(grid, seed=seed)
    _, p_fixed = pairwise_tests(grid, seed=seed, fixed_prompts=True)
    prompts = int(np.isfinite(grid).any((0, 2)).sum())
    if prompts < TESTED_PROMPTS:
        p = np.full_like(p, np.nan)
    sign = 1.0 if spec.higher_is_better else -1.0
    seen = {
        (a, b): [spread_of(grid[a] - grid[b], fixed_prompts=fixed).detectable() for fixed in (False, True)]
        for a, b in combinations(range(len(titles)), 2)
    }
    for a, b in permutations(range(len(titles)), 2):
        sampled, fixed = seen[min(a, b), max(a, b)]
        tests = (p[a, b], sampled, p_fixed[a, b], fixed)
        yield (dataset, spec.name, titles[a], titles[b], prompts, sign * difference[a, b], *tests)


def pairs_markdown(frame: pd.DataFrame) -> str:
    """Write the number of significant pairs and the smallest detectable differences as Markdown."""
    lines = [
        "# Who beats whom",
        "",
        "Every two methods on the same images: differences and p-values (sign flips, Holm's correction) are in "
        f"`pairs.csv`; told apart are those with p up to {ALPHA:g}. First as if the prompts were drawn from many like "
        "them, then for these very prompts on other images. Beside each the smallest difference that is found with "
        f"{POWER:.0%} probability before the correction, for the median pair.",
        "",
    ]
    rows = []
    for (dataset, metric), block in frame.groupby(["dataset", "metric"], sort=False):
        pairs = block[block["title"] < block["other"]]
        scale, unit = (100.0, " points") if metric in PERCENT else (1.0, "")
        cells = [escape(str(dataset)), escape(str(metric)), block["prompts"].iloc[0], len(pairs)]
        for end in ("", "_fixed"):
            smallest = scale * pairs[f"detectable{end}"].median()
            p = pairs[f"p{end}"]
            cells += [(p <= ALPHA).sum() if p.notna().any() else "-"]
            cells += [f"{smallest:.3g}{unit}" if np.isfinite(smallest) else "-"]
        rows.append(cells)
    headings = ("Data set", "Metric", "Prompts", "Pairs", "Told apart", "Seen from", "These prompts", "Seen from")
    return "\n".join([*lines, *table_lines(headings, rows, "llrrrrrr")]) + "\n"


_ROW, _TOP, _SCORE, _BOTTOM, _SMALLEST = 22.0, 22.0, 42.0, 40.0, 320.0


def draw_pairs(rows: pd.DataFrame, looks: Mapping[str, Look], *, width: float) -> Figure:
    """Draw methods as rows, in the order of the tests; columns are the same methods, by number.

    Args:
        rows: of one data set and metric, of `paired_tests_frame`.
        looks: of the methods.
        width: pixels, at most.
    """
    from matplotlib.patches import Rectangle

    sure = rows[rows["p"] <= ALPHA]
    won = sure[sure["better_by"] > 0].groupby("title").size()
    lost = sure[sure["better_by"] < 0].groupby("title").size()
    titles = list(dict.fromkeys(rows["title"]))
    scale, unit = (100.0, " points") if rows["metric"].iloc[0] in PERCENT else (1.0, "")
    names = [f"{i}  {title}" for i, title in enumerate(titles, 1)]
    longest = 30 if len(titles) <= 10 else 20
    left = canvas.names_width(names, longest)
    across = min(_ROW, (width - left - _SCORE) / len(titles))
    whole = max(_SMALLEST, left + across * len(titles) + _SCORE)
    figure = canvas.blank(whole, _TOP + _ROW * len(titles) + _BOTTOM)
    axis = canvas.place(figure, left, _TOP, across * len(titles), _ROW * len(titles))
    axis.grid(visible=False)
    found = {(row["title"], row["other"]): row for row in rows.to_dict("records")}
    smallest = scale * rows["detectable"].median()
    said = f"{len(sure) // 2} of {len(rows) // 2} pairs told apart"
    if np.isfinite(smallest):
        said += f"; a difference of {smallest:.3g}{unit}\nwould be found in {POWER:.0%} of cases (median pair, alone)."
    figure.text(4 / whole, 4 / 72 / figure.get_size_inches()[1], said, size=canvas.SMALL, color=COLOURS["soft"])
    for y, title in enumerate(titles):
        for x, other in enumerate(titles):
            colour, said = COLOURS["line"], title
            if title != other:
                by, p, seen = (found[title, other][name] for name in ("better_by", "p", "detectable"))
                colour = COLOURS["band"] if not p <= ALPHA else COLOURS["good"] if by > 0 else COLOURS["bad"]
                verb = "is not told apart from" if not p <= ALPHA else "beats" if by > 0 else "is beaten by"
                size = f"{'better' if by > 0 else 'worse'} by {scale * abs(by):.3g}{unit}"
                said = f"{title} {verb} {other}: {size}; p = {p:.2g}, corrected for {len(rows) // 2} pairs"
                if not p <= ALPHA and np.isfinite(seen):
                    said += f". A difference of {scale * seen:.3g}{unit} would be found in {POWER:.0%} of cases, alone"
            box = Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, color=colour, linewidth=0)
            canvas.tell(box, said, method=title, other=other)
            axis.add_artist(box)
        score = axis.text(len(titles) - 0.2, y, f"{won.get(title, 0)} : {lost.get(title, 0)}", va="center")
        score.set(size=canvas.SMALL, color=COLOURS["soft"])
    axis.set_xlim(-0.5, len(titles) - 0.5)
    shown = range(0, len(titles), 1 if across > canvas.NORMAL + 2 else 2)  # numbers need room
    axis.set_xticks(shown, [str(i + 1) for i in shown])
    axis.xaxis.tick_top()
    axis.tick_params(axis="x", labelsize=canvas.SMALL - 1.5)
    canvas.name_rows(axis, titles, longest, names)
    for label, title in zip(axis.get_yticklabels(), titles, strict=True):
        label.set_color(looks[title].colour)
    return figure
