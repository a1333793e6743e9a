"""Compare the method rankings of different evaluation networks by Kendall's tau.

The ranking of methods should not depend on the evaluation network, least of all on one that the methods
were optimised against.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.statistics.jackknife import kendall_of_rows
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.markdown import escape, table_lines, with_interval
from textedit_bench.report.ranks import shared_grids, whole_rows

JUDGES = {
    "effect": ("success", "success_second", "clip_gain", "clip_gain_in_loop"),
    "what is kept": ("preservation", "identity_inversion", "identity_in_loop", "lpips_inversion"),
}
"""Metrics that measure the same property with different networks; each pair within a line is compared."""
COLUMNS = ("dataset", "what", "first", "second", "tau", "low", "high", "methods")
DRAWS = 1000
FEWEST = 3
"""Minimum number of methods for a meaningful ranking."""


def judge_rankings_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per data set and pair of networks: tau-b of their rankings of methods, and its 95 % interval.

    A method is ranked by its mean over the prompts that all methods with every trained prompt share; the interval draws
    images and prompts, with the same draws for both networks. Controls are excluded: agreement on their last ranks is
    not agreement about methods. Empty for fewer than three methods.
    """
    entries = []
    for part in collected:
        if not part.cells:
            continue
        rows = whole_rows(part)
        titles = sorted({row.title for row in rows})
        protocols = part.cells[0].manifest.protocols
        if len(titles) < FEWEST:
            continue
        for what, names in JUDGES.items():
            means = {}
            for name in names:
                grids = shared_grids([(part, rows)], titles, name) if name in protocols else []
                if grids and np.isfinite(grids[0]).any():
                    means[name] = _means(grids[0]) * (1.0 if protocols[name]["higher_is_better"] else -1.0)
            for first, second in combinations(means, 2):
                taus = kendall_of_rows(means[first], means[second])
                drawn = taus[1:][np.isfinite(taus[1:])]
                low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (np.nan, np.nan)
                figures = (part.dataset, what, first, second, taus[0], low, high, len(titles))
                entries.append(dict(zip(COLUMNS, figures, strict=True)))
    return pd.DataFrame(entries, columns=list(COLUMNS))


def _means(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute means [1 + draws, methods] over the cells [methods, prompts, images]; the first row is the sample.

    The draws depend only on the shape, so that all networks of a data set have the same ones.
    """
    rng = np.random.default_rng(0)
    prompts, images = (rng.multinomial(n, np.full(n, 1.0 / n), DRAWS) for n in grid.shape[1:])
    weights = np.concatenate([np.ones((1, *grid.shape[1:])), prompts[:, :, None] * images[:, None, :]])
    there = np.isfinite(grid[0])
    sums = np.einsum("mpi,rpi->rm", np.where(there, grid, 0.0), weights, optimize=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Methods of equal values stay tied, independent of rounding.
        means: NDArray[np.float64] = np.round(sums / (weights * there).sum((1, 2))[:, None], 12)
    return means


def judge_rankings_markdown(frame: pd.DataFrame) -> str:
    """Write the page."""
    lines = [
        "# Do the judges rank the methods alike?",
        "",
        "Kendall's tau-b between the orders in which two judges put the methods: 1 the same, 0 unrelated, -1 reversed; "
        "95 % interval from resampled images and prompts.",
        "",
    ]
    cells = []
    for _, row in frame.iterrows():
        tau = with_interval(row["tau"], row["low"], row["high"])
        cells.append([*(escape(str(row[name])) for name in COLUMNS[:4]), tau, row["methods"]])
    lines += table_lines(("Data set", "What", "Judge", "Other judge", "tau", "Methods"), cells, "llllrr")
    return "\n".join(lines) + "\n"
