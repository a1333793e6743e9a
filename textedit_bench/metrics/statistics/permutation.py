"""Paired sign-flip test of a difference over prompts x images, Holm's correction, and the methods to mark as best.

If two methods are equally good, the sign of an image's mean difference is random. There are enough images for plain
sign flips, but not enough prompts: with 8 of them p cannot be below 2/256, and no table of six methods could ever
show a difference. The variance due to prompts is therefore drawn by flipping their deviations from the mean, reduced
by the noise (already in the image flips) and widened to Student's form for their small number.

If the prompts are fixed, methods may differ on each of them and still be equal on average. Then the deviations of
images from their prompts' means are flipped: a wild bootstrap with the null imposed (Cameron, Gelbach and Miller 2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from textedit_bench.metrics.statistics.components import (
    Values,
    grid,
    prompt_residuals,
    spread_of,
    stack,
    two_way_spread,
)

FLIPS = 9999


def sign_flip_test(differences: ArrayLike, *, flips: int = FLIPS, seed: int = 0, fixed_prompts: bool = False) -> float:
    """Compute the two-sided p-value of "the mean difference is zero", in [1 / (flips + 1), 1].

    Args:
        differences: [prompts, images], method A minus method B; nan if either has no value.
        flips: number of random sign patterns.
        seed: of the patterns.
        fixed_prompts: whether the mean is over exactly these prompts, not over a population of prompts.

    Returns:
        1.0 if there is no evidence (no cell, one cell, or all differences zero).
    """
    cells = grid(differences)
    spread = spread_of(cells, fixed_prompts=fixed_prompts)
    if spread.cells < 2 or not np.nanmax(np.abs(cells)) > 0.0:
        return 1.0
    rng = np.random.default_rng(seed)
    if fixed_prompts:
        residuals = prompt_residuals(cells)
        if residuals is None:
            return 1.0
        return _p_value(_signs(rng, flips, cells.shape[1]) @ residuals.sum(0) / spread.cells, spread.mean)
    sums = np.where(np.isfinite(cells), cells, 0.0)
    prompts, images = cells.shape
    if images == 1:
        drawn = _signs(rng, flips, prompts) @ sums.sum(1) / spread.cells
    else:
        drawn = _signs(rng, flips, images) @ sums.sum(0) / spread.cells
        if prompts > 1:
            drawn += _prompt_scatter(rng, cells, flips)
    return _p_value(drawn, spread.mean)


def _p_value(drawn: Values, mean: float) -> float:
    """Compute the share of draws under the null that are at least as extreme as the mean."""
    reached = np.abs(drawn) >= abs(mean) * (1.0 - 1e-12)
    return float((1 + reached.sum()) / (len(drawn) + 1))


def _prompt_scatter(rng: np.random.Generator, cells: Values, flips: int) -> Values:
    """Draw the prompts' contribution to the mean, [flips], Student-shaped with their degrees of freedom."""
    prompts = len(cells)
    spread = two_way_spread(cells)
    variance = spread.prompt_share * spread.error**2
    deviations = np.nansum(cells - spread.mean, axis=1)
    size = float(np.sqrt((deviations**2).sum()))
    if variance == 0.0 or size == 0.0:
        return np.zeros(flips)
    freedom = prompts - 1
    widen = np.sqrt(freedom / rng.chisquare(freedom, flips))
    drawn: Values = _signs(rng, flips, prompts) @ (deviations / size) * np.sqrt(variance) * widen
    return drawn


def _signs(rng: np.random.Generator, flips: int, n: int) -> Values:
    return rng.integers(0, 2, (flips, n)).astype(np.float64) * 2.0 - 1.0


def holm(p_values: ArrayLike) -> Values:
    """Apply Holm's step-down adjustment [k]: rejecting values up to alpha controls the family-wise error.

    Raises:
        ValueError: a value outside [0, 1].
    """
    p = np.array(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be a list of numbers in [0, 1], got {p.tolist()}")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def best_and_tied(
    values: ArrayLike,
    *,
    higher_is_better: bool,
    alpha: float = 0.05,
    flips: int = FLIPS,
    seed: int = 0,
    fixed_prompts: bool = False,
) -> list[bool]:
    """Flag the best method and every method that is not significantly worse.

    The best has the best mean over its own cells. Every other method is compared with it on the cells that both have,
    by the paired sign-flip test, with Holm's correction over these comparisons. A method that shares too few cells
    with the best to be compared is not shown to be worse and counts as tied.

    Args:
        values: [methods, prompts, images], nan if a cell does not count.
        higher_is_better: direction of the metric.
        alpha: family-wise error of calling a method worse.
        flips: sign patterns per comparison.
        seed: of the patterns.
        fixed_prompts: see `sign_flip_test`.

    Returns:
        One flag per method; False for a method without any value.
    """
    cells = stack(values) * (1.0 if higher_is_better else -1.0)
    known = [bool(np.isfinite(method).any()) for method in cells]
    if not any(known):
        return [False] * len(cells)
    means = np.array([np.nanmean(m) if k else -np.inf for m, k in zip(cells, known, strict=True)])
    best = int(means.argmax())
    others = [m for m in range(len(cells)) if m != best and known[m]]
    steps = (cells[best] - cells[m] for m in others)
    adjusted = holm([sign_flip_test(step, flips=flips, seed=seed, fixed_prompts=fixed_prompts) for step in steps])
    tied = list(known)
    for m, p in zip(others, adjusted, strict=True):
        difference = cells[best] - cells[m]
        worse = np.isfinite(difference).any() and np.nanmean(difference) > 0.0
        tied[m] = not (worse and p <= alpha)
    return tied


def pairwise_tests(
    values: ArrayLike, *, flips: int = FLIPS, seed: int = 0, fixed_prompts: bool = False
) -> tuple[Values, NDArray[np.float64]]:
    """Compute mean paired differences and Holm-adjusted p-values of all pairs of methods.

    Args:
        values: [methods, prompts, images].
        flips: sign patterns per pair.
        seed: of the patterns.
        fixed_prompts: see `sign_flip_test`.

    Returns:
        Differences [M, M] (row minus column; nan without common cells) and p-values [M, M], adjusted over all
        M (M - 1) / 2 pairs; 1 on the diagonal.
    """
    cells = stack(values)
    n = len(cells)
    difference, p = np.zeros((n, n)), np.ones((n, n))
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    raw = []
    for a, b in pairs:
        step = cells[a] - cells[b]
        mean = np.nanmean(step) if np.isfinite(step).any() else np.nan
        difference[a, b], difference[b, a] = mean, -mean
        raw.append(sign_flip_test(step, flips=flips, seed=seed, fixed_prompts=fixed_prompts))
    for (a, b), adjusted in zip(pairs, holm(raw), strict=True):
        p[a, b] = p[b, a] = adjusted
    return difference, p
