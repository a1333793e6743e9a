"""Average ranks over blocks, their intervals, and the statistics of a critical-difference diagram (Demsar 2006).

Intervals use the same resamples of prompts and images for all methods, which are ranked in each.
"""

from __future__ import annotations

from collections.abc import Sequence
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


DRAWS = 2000
_CHUNK = 4_000_000
"""Maximum number of comparisons in memory, independent of the number of methods."""


def rank_intervals(
    grids: Sequence[ArrayLike],
    *,
    higher_is_better: bool,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Values, Values]:
    """Compute intervals of the methods' average ranks over prompts.

    Prompts and images of each data set are drawn with replacement, the same draws for every method; the methods are
    ranked within every drawn prompt by their means over the drawn images. The draws give the shape of the interval. It
    is centred on the measured ranks, since ranks of noisier means are closer to the middle, and has the variance of
    prompts plus that of images, each drawn alone, minus the noise that both include, with Student's quantile for few
    prompts (drawing both at once counts the noise of single cells three times: Owen 2007).

    If no resample changes a rank, the interval is that single point: the order is the same for all
    these prompts and images, but not necessarily for others.

    Args:
        grids: one [methods, prompts, images] per data set, the same methods in the same order; a cell that is nan for
            one method is ignored for all.
        higher_is_better: direction of the metric.
        draws: resamples.
        level: coverage.
        seed: of the resamples.

    Returns:
        Lower and upper ends [methods], between 1 and the number of methods.

    Raises:
        ValueError: no grid, fewer than two methods or another number of them, or no cell that all have.
    """
    cells = [_common(grid) for grid in grids]
    methods = {len(grid) for grid in cells}
    if len(methods) != 1 or methods.pop() < 2:
        raise ValueError("ranks need grids [methods, prompts, images] of the same two or more methods")
    if not any(np.isfinite(grid).any() for grid in cells):
        raise ValueError("no cell holds a value of every method")
    sign = -1.0 if higher_is_better else 1.0
    rng = np.random.default_rng(seed)
    count = len(cells[0])
    # What is drawn: prompts and images, prompts alone, images alone.
    totals, weights = np.zeros((3, 1 + draws, count)), np.zeros((3, 1 + draws, 1))
    blocks = 0
    for grid in cells:
        # A prompt without a common image is not a block.
        grid = grid[:, np.isfinite(grid).any((0, 2))]
        if not grid.shape[1]:
            continue
        blocks += grid.shape[1]
        prompts, images = (_weights(rng, n, draws) for n in grid.shape[1:])
        own = _ranks(sign * _means(grid, images[:1]))
        step = max(1, _CHUNK // (count * count * grid.shape[1]))
        for start in range(0, 1 + draws, step):
            part = slice(start, start + step)
            ranks = _ranks(sign * _means(grid, images[part]))
            for way, (drawn, counts) in enumerate(((ranks, prompts[part]), (own, prompts[part]), (ranks, prompts[:1]))):
                # A drawn prompt without a common value in its drawn images is ignored in this draw.
                known = np.where(np.isfinite(drawn[..., 0]), counts, 0.0)
                totals[way, part] += np.einsum("rp,rpm->rm", known, np.broadcast_to(np.nan_to_num(drawn), ranks.shape))
                weights[way, part] += known.sum(1, keepdims=True)
    with np.errstate(invalid="ignore"):
        found = totals / weights
    point, found = found[0, 0], found[:, 1:][:, np.isfinite(found[:, 1:, 0]).all(0)]
    if blocks < 2 or not found.shape[1]:
        return np.ones(count), np.full(count, float(count))
    both, by_prompt, by_image = found.var(1)
    # With 2000 draws the difference can be below the variance of one way alone.
    spread = np.maximum(2.0 * (by_prompt + by_image) - both, np.maximum(by_prompt, by_image))
    widen = np.sqrt(np.divide(spread, both, out=np.zeros(count), where=both > 0.0) * blocks / (blocks - 1))
    widen *= stats.t.ppf((1.0 + level) / 2.0, blocks - 1) / stats.norm.ppf((1.0 + level) / 2.0)
    ends = np.quantile(found[0] - found[0].mean(0), [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    low, high = np.clip(point + widen * ends, 1.0, float(count))
    return low, high


def _common(grid: ArrayLike) -> Values:
    cells = np.array(grid, dtype=np.float64)
    if cells.ndim != 3:
        raise ValueError(f"ranks need grids [methods, prompts, images], got shape {cells.shape}")
    cells[:, ~np.isfinite(cells).all(0)] = np.nan
    return cells


def _weights(rng: np.random.Generator, n: int, draws: int) -> Values:
    """Draw how often each of ``n`` units counts, [1 + draws, n]; the first row is the sample itself."""
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), draws).astype(np.float64)
    return np.concatenate([np.ones((1, n)), drawn])


def _means(grid: Values, images: Values) -> Values:
    """Compute means over the drawn images [draws, prompts, methods]; nan if a draw has no common value of a prompt."""
    there = np.isfinite(grid[0])
    sums = np.einsum("mpi,ri->rpm", np.where(there, grid, 0.0), images, optimize=True)
    counts = images @ there.T
    with np.errstate(invalid="ignore", divide="ignore"):
        # Equal values of two methods must stay equal, however their sums were rounded.
        means: Values = np.round(sums / counts[:, :, None], 12)
    return means


def _ranks(means: Values) -> Values:
    """Compute ranks over the last axis, 1 for the smallest, ties averaged; nan stays nan."""
    below = (means[..., None, :] < means[..., :, None]).sum(-1)
    same = (means[..., None, :] == means[..., :, None]).sum(-1)
    return np.where(np.isfinite(means), 0.5 + below + 0.5 * same, np.nan)
