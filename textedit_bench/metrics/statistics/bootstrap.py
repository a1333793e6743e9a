"""Two-way bootstrap of means over prompts and images, paired across methods, valid for few prompts.

Prompts and images are drawn with replacement, independently of each other, with the same draws for every method (Owen
2007). The draws give the shape of the interval; their spread is then rescaled to that of `two_way_spread` with
Student's quantile, because plain draws are too narrow for 8 prompts and too wide if noise dominates. Fixed prompts are
not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from textedit_bench.metrics.statistics.cells import Values, stack
from textedit_bench.metrics.statistics.components import Spread, spread_of
from textedit_bench.metrics.statistics.rates import agreeing_interval

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
