"""Rank correlation over edits that share images, with an interval that accounts for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from textedit_bench.metrics.statistics.jackknife import jackknife_error


@dataclass(frozen=True)
class Correlation:
    """A rank correlation.

    Attributes:
        value: Spearman's rho in [-1, 1]; nan if either side is constant.
        low, high: its 95 % interval; nan if unknown.
        n: number of pairs.
        tau: Kendall's tau-b of the same pairs, in [-1, 1]: share of concordant minus share of discordant pairs, with
            correction for ties. It is smaller than rho and easier to interpret.
    """

    value: float
    low: float
    high: float
    n: int
    tau: float = float("nan")


def rank_correlation(first: ArrayLike, second: ArrayLike, images: ArrayLike, *, level: float = 0.95) -> Correlation:
    """Compute Spearman's rank correlation of two measurements of the same edits.

    The interval is a jackknife that leaves out one source image with all its edits, on Fisher's scale: edits of one
    image at nine strengths are not nine independent edits.

    Args:
        first: [n], finite.
        second: [n], finite.
        images: source image of every edit [n], any labels.
        level: coverage.

    Raises:
        ValueError: lengths differ, or values that are not finite.
    """
    x, y, of = np.asarray(first, np.float64), np.asarray(second, np.float64), np.asarray(images)
    if not x.shape == y.shape == of.shape or x.ndim != 1:
        raise ValueError(f"three lists of one length are needed, got {x.shape}, {y.shape} and {of.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("values hold nan or infinity")
    # Sorted once: whole numbers in the same order have the same ranks, whatever is left out.
    a, b = (np.unique(values, return_inverse=True)[1] for values in (x, y))
    value, tau = _spearman(a, b), _kendall(a, b)
    names = np.unique(of)
    if not np.isfinite(value) or len(names) < 3:
        return Correlation(value, np.nan, np.nan, len(x), tau)
    left = np.array([_spearman(a[of != name], b[of != name]) for name in names])
    left = left[np.isfinite(left)]
    if len(left) < 3:
        return Correlation(value, np.nan, np.nan, len(x), tau)
    z = np.arctanh(np.clip(left, -1 + 1e-12, 1 - 1e-12))
    error = jackknife_error(z)
    centre = float(np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12)))
    margin = float(stats.t.ppf((1.0 + level) / 2.0, len(z) - 1)) * error
    return Correlation(value, float(np.tanh(centre - margin)), float(np.tanh(centre + margin)), len(x), tau)


def _spearman(x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    """Compute Pearson's correlation of the ranks of whole numbers from 0."""
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def _ranks(values: NDArray[np.intp]) -> NDArray[np.float64]:
    """Compute ranks from 1, ties averaged."""
    counts = np.bincount(values)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2.0)[values]
    return ranks


def _kendall(x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    """Compute Kendall's tau with the correction for ties on both sides."""
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    return float(stats.kendalltau(x, y).statistic)


def kendall_of_rows(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Compute Kendall's tau-b of matching rows [R, k] and [R, k], shape [R]; nan if a row is constant.

    For many short rankings at once, such as the resamples of a handful of methods.
    """
    signs = []
    for values in (first, second):
        rows = np.asarray(values, np.float64)
        left, right = np.triu_indices(rows.shape[1], 1)
        signs.append(np.sign(rows[:, left] - rows[:, right]))
    a, b = signs
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: NDArray[np.float64] = (a * b).sum(1) / np.sqrt(np.square(a).sum(1) * np.square(b).sum(1))
    return tau
