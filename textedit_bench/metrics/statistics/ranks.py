"""Average ranks over blocks, and the statistics of a critical-difference diagram (Demsar 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ranks:
    """Ranks of k methods over N blocks.

    Attributes:
        average: average rank per method [k]; 1 is best.
        blocks: blocks in which every method has a value.
        friedman_p: p-value of "all methods rank alike"; 1 if it cannot be tested.
        critical_difference: two average ranks that differ by more differ at the level of the call (Nemenyi).
        cliques: groups of methods, best first, whose ranks do not differ significantly; the bars of the diagram.
    """

    average: Values
    blocks: int
    friedman_p: float
    critical_difference: float
    cliques: tuple[tuple[int, ...], ...]


def average_ranks(values: ArrayLike, *, higher_is_better: bool, alpha: float = 0.05) -> Ranks:
    """Rank methods within blocks and average.

    Args:
        values: [methods, blocks]; a block is a prompt of a data set; blocks without a value of any method are excluded.
        higher_is_better: direction of the metric.
        alpha: level of the critical difference.

    Raises:
        ValueError: fewer than two methods, or no common block.
    """
    cells = np.asarray(values, dtype=np.float64)
    if cells.ndim != 2 or len(cells) < 2:
        raise ValueError(f"ranks need values [methods >= 2, blocks], got shape {cells.shape}")
    cells = cells[:, np.isfinite(cells).all(0)]
    if not cells.shape[1]:
        raise ValueError("no block holds a value of every method")
    ranks = stats.rankdata(-cells if higher_is_better else cells, axis=0)
    average = ranks.mean(1)
    difference = critical_difference(len(cells), cells.shape[1], alpha)
    return Ranks(average, cells.shape[1], _friedman(ranks), difference, _cliques(average, difference))


def critical_difference(methods: int, blocks: int, alpha: float = 0.05) -> float:
    """Compute Nemenyi's critical difference of average ranks."""
    quantile = float(stats.studentized_range.ppf(1.0 - alpha, methods, np.inf)) / 2**0.5
    return quantile * float((methods * (methods + 1) / (6.0 * blocks)) ** 0.5)


def _friedman(ranks: Values) -> float:
    """Compute the p-value of Friedman's test with the correction for ties."""
    k, n = ranks.shape
    scatter = ((ranks - (k + 1) / 2.0) ** 2).sum()
    if n < 2 or scatter == 0.0:
        return 1.0
    between = n * ((ranks.mean(1) - (k + 1) / 2.0) ** 2).sum()
    return float(stats.chi2.sf((k - 1) * n * between / scatter, k - 1))


def _cliques(average: Values, difference: float) -> tuple[tuple[int, ...], ...]:
    order = [int(i) for i in np.argsort(average, kind="stable")]
    found: list[tuple[int, ...]] = []
    for first in range(len(order)):
        last = first
        while last + 1 < len(order) and average[order[last + 1]] - average[order[first]] <= difference:
            last += 1
        group = tuple(order[first : last + 1])
        if len(group) > 1 and not (found and set(group) <= set(found[-1])):
            found.append(group)
    return tuple(found)
