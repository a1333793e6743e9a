"""Delete-block jackknife, for distances between sets of images and for rank correlation over edits that share images.

An image bootstrap is wrong for FID: repeated rows reduce the effective number of images and add the 1/N bias a
second time, so that the interval does not contain its point estimate. Leaving out one block at a time avoids this. A
block is one source image with the edits of all its prompts: those edits are not independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from textedit_bench.metrics.sets import Distance, of_subsets

MOST_BLOCKS = 64
"""Maximum number of blocks; with more source images, several form a block: a distance takes seconds."""


@dataclass(frozen=True)
class Jackknife:
    """A distance with its uncertainty.

    Attributes:
        value: the distance on all rows.
        error: jackknife standard error.
        low: lower end of the interval, not below ``floor`` of the call.
        high: upper end.
        left: the distance with each block left out in turn.
    """

    value: float
    error: float
    low: float
    high: float
    left: NDArray[np.float64]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.left)

    def minus(self, other: Jackknife, *, level: float = 0.95) -> Jackknife:
        """Compute the difference to another distance of the same photos, whose blocks are left out together."""
        return _interval(self.value - other.value, self.left - other.left, level, None)


def jackknife_error(left: NDArray[np.float64]) -> float:
    """Standard error of an estimate from its values with one block left out each [n], n at least 1."""
    return float(np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum()))


def delete_block_jackknife(
    edits: ArrayLike,
    blocks: ArrayLike,
    reference: ArrayLike,
    *,
    distance: Distance,
    reference_blocks: ArrayLike | None = None,
    level: float = 0.95,
    floor: float | None = 0.0,
) -> Jackknife:
    """Compute the distance of edits to a reference set, with an interval over source images.

    The interval is for the distance at this number of images; it does not remove FID's bias at small N.

    Args:
        edits: features [n, d].
        blocks: source image of every edit, [n], any labels; of more than `MOST_BLOCKS` images several make a block.
        reference: features [m, d].
        reference_blocks: source image of every reference row, [m], if the reference belongs to the same images
            (inversions, photos): it is left out together with the edits. None for an independent reference set.
        distance: of the edits to the reference, see `Distance`.
        level: coverage of the interval.
        floor: smallest possible distance (0 for FID), or None (KID may be negative).

    Raises:
        ValueError: labels and rows do not match, or fewer than three blocks.
    """
    x, y, of = np.asarray(edits), np.asarray(reference), np.asarray(blocks)
    of_reference = None if reference_blocks is None else np.asarray(reference_blocks)
    if of.shape != (len(x),) or (of_reference is not None and of_reference.shape != (len(y),)):
        raise ValueError("every row needs one block label")
    sources, reference_sources = of, of_reference
    names = np.unique(of)
    if len(names) < 3:
        raise ValueError(f"a jackknife needs at least 3 source images, got {len(names)}")
    if len(names) > MOST_BLOCKS:
        of = np.searchsorted(names, of) % MOST_BLOCKS
        if of_reference is not None:
            of_reference = np.searchsorted(names, of_reference) % MOST_BLOCKS
        names = np.arange(MOST_BLOCKS)
    value = distance(x, y, sources, reference_sources)
    others = np.ones((len(names), len(y)), bool) if of_reference is None else of_reference != names[:, None]
    left = of_subsets(distance, x, y, sources, reference_sources, of != names[:, None], others)
    return _interval(value, left, level, floor)


def _interval(value: float, left: NDArray[np.float64], level: float, floor: float | None) -> Jackknife:
    error = jackknife_error(left)
    margin = float(stats.t.ppf((1.0 + level) / 2.0, len(left) - 1)) * error
    low = value - margin if floor is None else max(floor, value - margin)
    return Jackknife(value, error, low, value + margin, left)


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
