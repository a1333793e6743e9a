"""Intervals of means over prompts and images, paired across methods: a two-way bootstrap, valid for few prompts.

Prompts and images are drawn with replacement, independently of each other, with the same draws for every method (Owen
2007). The draws give the shape of the interval; their spread is then rescaled to that of `two_way_spread` with
Student's quantile, because plain draws are too narrow for 8 prompts and too wide if noise dominates. Fixed prompts are
not drawn.

If all cells have the same value, resampling shows no variance and would claim certainty. The exact binomial interval
does not, but it needs a number of independent trials, and cells that share a prompt or an image are not independent.
Korn and Graubard (1998) use p (1 - p) / error^2 trials, which is infinite without variance; so the count starts at
the number of independent draws (the prompts, of 8 prompts x 24 images), as if all cells of one prompt were a single
trial, and approaches Korn and Graubard's as more cells differ from the common value. Starting at the larger number,
the images, covered 68 to 83 % where prompts succeed or fail as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from textedit_bench.metrics.statistics.components import Spread, Values, spread_of, stack

DRAWS = 2000
_CHUNK = 4_000_000
"""Maximum number of values in memory, independent of the grid and the number of draws."""


@dataclass(frozen=True)
class Intervals:
    """Means of M methods with intervals.

    Attributes:
        mean: [M], over the cells with a value; nan for a method without any.
        low: [M], lower ends; minus infinity (or the lower bound) if one cell or none is known.
        high: [M], upper ends.
        draws: [R, M] resampled means with the corrected spread; row r is the same resample for every method, so
            differences and ranks of a row are paired.
        spreads: per method, error, degrees of freedom and counts.
    """

    mean: Values
    low: Values
    high: Values
    draws: Values
    spreads: tuple[Spread, ...]


def two_way_bootstrap(
    values: ArrayLike,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
    fixed_prompts: bool = False,
) -> Intervals:
    """Compute an interval for the mean of each method.

    Args:
        values: [methods, prompts, images] (or [prompts, images] for one method), nan if a cell does not count.
        draws: number of resamples.
        level: coverage.
        seed: of the resamples; the same seed and shape give the same draws.
        bounds: range of the metric, such as (0, 1) for a rate; ends are clipped to it. If (nearly) all cells agree
            and the range is finite, the interval is at least `agreeing_interval`, never a single point.
        fixed_prompts: whether the interval generalises to other images for the same prompts, not to other prompts.

    Raises:
        ValueError: wrong shape, infinite values, fewer than 100 draws, level outside (0, 1).
    """
    cells = stack(values)
    if draws < 100:
        raise ValueError(f"draws must be at least 100, got {draws}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    spreads = tuple(spread_of(method, fixed_prompts=fixed_prompts) for method in cells)
    mean = np.array([spread.mean for spread in spreads])
    resampled = _resample(cells, draws, seed, fixed_prompts=fixed_prompts)
    normal = stats.norm.ppf((1.0 + level) / 2.0)
    low, high = np.empty(len(cells)), np.empty(len(cells))
    for m, spread in enumerate(spreads):
        column = resampled[:, m]
        margin = spread.margin(level)
        known = column[np.isfinite(column)]
        scatter = known.std() if len(known) else 0.0
        if np.isinf(margin):
            low[m], high[m] = -np.inf, np.inf
        elif margin == 0.0 or scatter == 0.0:
            column[:] = mean[m]
            low[m], high[m] = mean[m] - margin, mean[m] + margin
        else:
            # The quantiles of a normal shape land exactly on Student's interval.
            column[:] = mean[m] + (column - known.mean()) * (margin / (normal * scatter))
            low[m], high[m] = np.nanquantile(column, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    if bounds is not None:
        for m, spread in enumerate(spreads):
            least = agreeing_interval(cells[m], spread, bounds, level)
            if least is not None:
                low[m], high[m] = min(low[m], least[0]), max(high[m], least[1])
        low, high = np.clip(low, *bounds), np.clip(high, *bounds)
    return Intervals(mean, low, high, resampled, spreads)


def interval(
    values: ArrayLike,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
    fixed_prompts: bool = False,
) -> tuple[float, float]:
    """Compute the interval (low, high) of one method's mean over [prompts, images]; arguments as `two_way_bootstrap`.

    For a paired difference, give the differences: nan wherever either method has no value.
    """
    one = np.array(values)[None]
    found = two_way_bootstrap(one, draws=draws, level=level, seed=seed, bounds=bounds, fixed_prompts=fixed_prompts)
    return float(found.low[0]), float(found.high[0])


def _resample(cells: Values, draws: int, seed: int, *, fixed_prompts: bool) -> Values:
    """Compute means [R, M] over resampled prompts and images; nan if a draw has none of a method's cells."""
    methods, prompts, images = cells.shape
    there = np.isfinite(cells)
    filled = np.where(there, cells, 0.0)
    complete = bool(there.all())
    table = filled.transpose(1, 0, 2).reshape(prompts, methods * images)
    counts = there.astype(np.float64).transpose(1, 0, 2).reshape(prompts, methods * images)
    rng = np.random.default_rng(seed)
    found = np.empty((draws, methods))
    step = max(1, _CHUNK // (methods * images))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        prompt_draw = np.ones((size, prompts)) if fixed_prompts else _counts(rng, prompts, size)
        image_draw = _counts(rng, images, size)
        total = _weigh(prompt_draw @ table, image_draw, methods)
        weight: Values | float = float(prompts * images)
        if not complete:
            weight = _weigh(prompt_draw @ counts, image_draw, methods)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[start : start + size] = total / weight
    return found


def _counts(rng: np.random.Generator, n: int, size: int) -> NDArray[np.float64]:
    """Draw how often each of ``n`` units occurs, [size, n]."""
    drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * size).reshape(size, n).astype(np.float64)


def _weigh(sums: Values, image_draw: Values, methods: int) -> Values:
    """Sum over images weighted by counts: [R, M * I] and [R, I] -> [R, M]."""
    weighed: Values = np.einsum("rmi,ri->rm", sums.reshape(len(sums), methods, -1), image_draw)
    return weighed


SEEN = 8
"""Minimum number of independent differing cells for using the estimated variance; simulated coverage of rates of 0.5 to
5 % is then 95 %."""


def agreeing_interval(
    cells: Values, spread: Spread, bounds: tuple[float, float], level: float
) -> tuple[float, float] | None:
    """Compute the minimum interval of a mean whose cells agree; None if enough cells differ, or none is known.

    Args:
        cells: one method's values, any shape, nan if a cell does not count.
        spread: of these cells.
        bounds: finite range of the values.
        level: coverage.
    """
    lowest, highest = bounds
    if not np.isfinite([lowest, highest, spread.error]).all() or spread.cells < 2:
        return None
    shares = (cells[np.isfinite(cells)] - lowest) / (highest - lowest)
    _, counts = np.unique(shares.round(9), return_counts=True)
    p = float(np.clip((spread.mean - lowest) / (highest - lowest), 0.0, 1.0))
    error = spread.error / (highest - lowest)
    seen = error**2 / (p * (1.0 - p)) if 0.0 < p < 1.0 else 0.0
    # All cells of a prompt that fails as a whole depart at once: that is one event, not one per image. A design effect
    # below 2 is often chance, so it begins to count there.
    effect = seen * len(shares)
    shared = float(np.interp(effect, (2.0, 4.0), (1.0, 4.0))) if effect < 4.0 else effect
    unseen = 1.0 - (len(shares) - counts.max()) / shared / SEEN
    if unseen <= 0.0:
        return None
    trials = 1.0 / (unseen / spread.draws + (1.0 - unseen) * seen)
    low, high = clopper_pearson(p * trials, trials, level)
    return lowest + (highest - lowest) * low, lowest + (highest - lowest) * high


def clopper_pearson(successes: float, trials: float, level: float) -> tuple[float, float]:
    """Compute the exact binomial interval of a rate, for fractional counts through its beta quantiles."""
    tail = (1.0 - level) / 2.0
    failures = trials - successes
    low = float(stats.beta.ppf(tail, successes, failures + 1.0)) if successes > 0.0 else 0.0
    high = float(stats.beta.ppf(1.0 - tail, successes + 1.0, failures)) if failures > 0.0 else 1.0
    return low, high
