"""Estimate the error of a mean over prompts x images: over other images, and other prompts where they were drawn.

Where prompts and images are both random draws, they are crossed random effects. Model:

    value = mean + prompt effect + image effect + noise
    Var(mean) = s_prompt^2 / P + s_image^2 / I + s_noise^2 / (P I)

and the mean squares of the two-way layout estimate its parts without bias, which resampling does not: at 8 prompts it
underestimates the prompts' share by an eighth and counts the noise three times. A component that comes out negative is
taken as zero; the degrees of freedom are Satterthwaite's (1946). Simulated coverage of the resulting 95 % interval at
8 prompts x 24 images is 93 to 98 % whether prompts, images, both or noise alone make the scatter.

Where the prompts are fixed, because they are all there are, the mean is one over just these prompts. What is left is
the scatter of images about their prompt's mean, and an image that several prompts share is one draw: its residuals are
added before they are squared (Liang and Zeger 1986, with the small-sample factor m / (m - 1) of every prompt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from textedit_bench.metrics.statistics.cells import Values, grid

POWER = 0.9
"""Probability with which a difference as large as `Spread.detectable` says is found, by a test of this one alone."""


@dataclass(frozen=True)
class Spread:
    """A mean and its uncertainty.

    Attributes:
        mean: over all cells that hold a value; nan without any.
        error: standard error of the mean; infinite where it cannot be known (a single cell).
        freedom: degrees of freedom behind ``error``.
        prompt_share: share of the prompts' component in the squared error, in [0, 1].
        image_share: share of the images' component.
        cells: number of cells that hold a value.
        prompts: number of prompts with a value.
        images: number of images with a value.
    """

    mean: float
    error: float
    freedom: float
    prompt_share: float
    image_share: float
    cells: int
    prompts: int
    images: int

    def margin(self, level: float) -> float:
        """Half the width of the symmetric Student interval."""
        if self.error in (0.0, np.inf):
            return self.error
        return float(stats.t.ppf((1.0 + level) / 2.0, self.freedom)) * self.error

    def detectable(self, *, power: float = POWER, level: float = 0.95) -> float:
        """The smallest true mean that a two-sided test finds with this probability, at one less ``level``."""
        if self.error in (0.0, np.inf):
            return self.error
        return self.margin(level) + float(stats.t.ppf(power, self.freedom)) * self.error


def two_way_spread(values: ArrayLike) -> Spread:
    """Mean and standard error of one method's values [prompts, images], nan if a cell does not count.

    With one prompt the error speaks of other images only, with one image of other prompts only.
    """
    cells = grid(values)
    if not cells.size:
        return Spread(float("nan"), np.inf, 1.0, 0.0, 0.0, 0, 0, 0)
    prompts, images = cells.shape
    there = np.isfinite(cells)
    n = int(there.sum())
    mean = float(cells[there].mean())
    residual = np.where(there, cells - mean, 0.0)
    if np.abs(residual).max() <= 1e-13 * max(1.0, abs(mean)):
        residual = np.zeros_like(residual)

    def known(error: float, freedom: float, prompt: float, image: float) -> Spread:
        return Spread(mean, error, freedom, prompt, image, n, prompts, images)

    if n == 1:
        return known(np.inf, 1.0, 0.0, 0.0)
    if prompts == 1 or images == 1:
        square = float((residual**2).sum()) / (n * (n - 1))
        return known(square**0.5, n - 1.0, float(images == 1), float(prompts == 1))

    by_prompt = prompts / (prompts - 1) * float((residual.sum(1) ** 2).sum()) / n**2
    by_image = images / (images - 1) * float((residual.sum(0) ** 2).sum()) / n**2
    noise_freedom = n - prompts - images + 1
    noise = float((_additive_residual(cells, there) ** 2).sum()) / (noise_freedom * n) if noise_freedom > 0 else 0.0
    prompt_part, image_part = max(by_prompt - noise, 0.0), max(by_image - noise, 0.0)
    square = prompt_part + image_part + noise
    if square == 0.0:
        return known(0.0, float(n - 1), 0.0, 0.0)
    # What of each mean square is left in the sum, for Satterthwaite's formula.
    used = (1.0 - (prompt_part > 0) - (image_part > 0)) * noise
    parts = [(by_prompt if prompt_part > 0 else 0.0, prompts - 1), (by_image if image_part > 0 else 0.0, images - 1)]
    spread = sum(part**2 / freedom for part, freedom in [*parts, (used, max(noise_freedom, 1))])
    freedom = max(square**2 / spread, float(min(prompts, images) - 1))
    return known(square**0.5, freedom, prompt_part / square, image_part / square)


def spread_of(values: ArrayLike, *, fixed_prompts: bool) -> Spread:
    """`fixed_prompts_spread` or `two_way_spread`, by what the prompts are."""
    return fixed_prompts_spread(values) if fixed_prompts else two_way_spread(values)


def fixed_prompts_spread(values: ArrayLike) -> Spread:
    """Mean and standard error of one method's values [prompts, images] over these very prompts and other images.

    Prompts may have different images; those without two values say nothing about their scatter, so the error is
    infinite where any is left.
    """
    cells = grid(values)
    if not cells.size:
        return Spread(float("nan"), np.inf, 1.0, 0.0, 0.0, 0, 0, 0)
    prompts, images = cells.shape
    there = np.isfinite(cells)
    n, mean = int(there.sum()), float(cells[there].mean())
    residuals = prompt_residuals(cells)
    known = residuals is not None and images > 1
    error = float(np.sqrt((residuals.sum(0) ** 2).sum())) / n if residuals is not None and known else np.inf
    if error <= 1e-13 * max(1.0, abs(mean)):
        error = 0.0
    return Spread(mean, error, float(max(images - 1, 1)), 0.0, float(0.0 < error < np.inf), n, prompts, images)


def prompt_residuals(cells: Values) -> Values | None:
    """Deviations from each prompt's mean [prompts, images], scaled to be unbiased when squared; 0 where no value is.

    None if a prompt has a single value.
    """
    there = np.isfinite(cells)
    counts = there.sum(1, keepdims=True)
    if (counts == 1).any():
        return None
    filled = np.where(there, cells, 0.0)
    means = filled.sum(1, keepdims=True) / counts
    residuals: Values = np.where(there, filled - means, 0.0) * np.sqrt(counts / (counts - 1.0))
    return residuals


def _additive_residual(cells: Values, there: Values, rounds: int = 200) -> Values:
    """What is left after fitting one effect per prompt and one per image; zero where there is no value."""
    rest = np.where(there, cells, 0.0)
    per_prompt, per_image = there.sum(1, keepdims=True), there.sum(0, keepdims=True)
    scale = np.abs(rest).max()
    for _ in range(rounds):
        rest = np.where(there, rest - rest.sum(1, keepdims=True) / per_prompt, 0.0)
        step = rest.sum(0, keepdims=True) / per_image
        rest = np.where(there, rest - step, 0.0)
        if np.abs(step).max() <= 1e-12 * scale:
            break
    return rest
