"""Paired tests of all pairs of methods, per metric, corrected for multiple testing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.statistics import POWER, pairwise_tests, spread_of
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.columns import PERCENT, ColumnSpec
from textedit_bench.report.markdown import escape, table_lines
from textedit_bench.report.pooled import POOLED, pooled_grid
from textedit_bench.report.ranks import shared_grids, whole_rows
from textedit_bench.seeds import seed_of

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
