"""Delete-block jackknife for distances between sets of images.

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
