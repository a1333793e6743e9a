"""Interval of a bounded mean whose cells (nearly) all agree: Clopper and Pearson (1934) with an effective count.

If all cells have the same value, resampling shows no variance and would claim certainty. The exact binomial interval
does not, but it needs a number of independent trials, and cells that share a prompt or an image are not independent.
Korn and Graubard (1998) use p (1 - p) / error^2 trials, which is infinite without variance; so the count starts at
the number of independent draws (the prompts, of 8 prompts x 24 images), as if all cells of one prompt were a single
trial, and approaches Korn and Graubard's as more cells differ from the common value. Starting at the larger number,
the images, covered 68 to 83 % where prompts succeed or fail as a whole.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from textedit_bench.metrics.statistics.cells import Values
from textedit_bench.metrics.statistics.components import Spread

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
