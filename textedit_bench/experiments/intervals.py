"""Intervals of values from few repetitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from textedit_bench.metrics.statistics import jackknife_error

Rows = NDArray[np.float64]


def mean_interval(values: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """Compute the mean of independent values with Student's interval (mean, low, high); nan for fewer than two."""
    x = np.asarray(values, np.float64)
    x = x[np.isfinite(x)]
    if not len(x):
        return np.nan, np.nan, np.nan
    mean = float(x.mean())
    if len(x) < 2:
        return mean, np.nan, np.nan
    half = float(stats.t.ppf(0.5 + level / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    return mean, mean - half, mean + half


def jackknife_interval(
    n: int, statistic: Callable[[NDArray[np.int64]], float], *, blocks: int = 0, level: float = 0.95
) -> tuple[float, float, float]:
    """Compute a statistic of n images with its delete-block interval (value, low, high); nan for fewer than 3 blocks.

    Args:
        n: images.
        statistic: indices of the images that are there -> value.
        blocks: how many blocks of images are left out in turn; 0 for one image at a time.
        level: coverage.
    """
    everything = np.arange(n)
    value = statistic(everything)
    parts = np.array_split(everything, min(blocks, n) or n)
    if len(parts) < 3:
        return value, np.nan, np.nan
    left = np.array([statistic(np.setdiff1d(everything, part)) for part in parts])
    half = float(stats.t.ppf(0.5 + level / 2, len(left) - 1)) * jackknife_error(left)
    return value, value - half, value + half
