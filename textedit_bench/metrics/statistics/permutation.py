"""Paired sign-flip test of a difference over prompts x images, and Holm's correction for several tests.

If two methods are equally good, the sign of an image's mean difference is random. There are enough images for plain
sign flips, but not enough prompts: with 8 of them p cannot be below 2/256, and no table of six methods could ever
show a difference. The variance due to prompts is therefore drawn by flipping their deviations from the mean, reduced
by the noise (already in the image flips) and widened to Student's form for their small number.

If the prompts are fixed, methods may differ on each of them and still be equal on average. Then the deviations of
images from their prompts' means are flipped: a wild bootstrap with the null imposed (Cameron, Gelbach and Miller 2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from textedit_bench.metrics.statistics.cells import Values, grid
from textedit_bench.metrics.statistics.components import prompt_residuals, spread_of, two_way_spread

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
