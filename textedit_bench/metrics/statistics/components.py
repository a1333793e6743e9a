"""Estimate the standard error of a mean over prompts x images, for other images and, if sampled, other prompts.

If prompts and images are both random samples, they are crossed random effects. Model:

    value = mean + prompt effect + image effect + noise
    Var(mean) = s_prompt^2 / P + s_image^2 / I + s_noise^2 / (P I)

and the mean squares of the two-way layout estimate its components without bias, unlike resampling: at 8 prompts it
underestimates the prompts' share by an eighth and counts the noise three times. A negative component is
set to zero; the degrees of freedom are Satterthwaite's (1946). Simulated coverage of the resulting 95 % interval at
8 prompts x 24 images is 93 to 98 %, whether the variance comes from prompts, images, both or noise.

If the prompts are fixed, because they are the whole population, the mean is over exactly these prompts. The error is
due to the scatter of images about their prompt's mean, and an image that several prompts share is one draw: its
residuals are added before they are squared (Liang and Zeger 1986, with the small-sample factor m / (m - 1) of every
prompt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Values = NDArray[np.float64]


def stack(values: ArrayLike) -> Values:
    """Convert values to float64 [methods, prompts, images]; [prompts, images] becomes one method.

    Raises:
        ValueError: another number of axes, an empty axis, or an infinite value.
    """
    array = np.array(values, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(f"values must have shape [methods, prompts, images], none of them empty; got {array.shape}")
    if np.isinf(array).any():
        raise ValueError("values hold infinity; give such cells a state and nan")
    return array


def grid(values: ArrayLike) -> Values:
    """Convert the values of one method to float64 [prompts, images]; prompts and images without a value are dropped."""
    array = np.array(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"values of one method must have shape [prompts, images], got {array.shape}")
    if np.isinf(array).any():
        raise ValueError("values hold infinity; give such cells a state and nan")
    there = np.isfinite(array)
    return array[there.any(1)][:, there.any(0)]


POWER = 0.9
"""Power with which a difference of size `Spread.detectable` is found by a single test."""


@dataclass(frozen=True)
class Spread:
    """A mean and its uncertainty.

    Attributes:
        mean: over all cells with a value; nan without any.
        error: standard error of the mean; infinite if it is unknown (a single cell).
        freedom: degrees of freedom of ``error``.
        prompt_share: share of the prompts' component in the squared error, in [0, 1].
        cells: number of cells with a value.
        prompts: number of prompts with a value.
        images: number of images with a value.
        draws: number of independent draws: of what is sampled, prompts, images or both, the fewer.
    """

    mean: float
    error: float
    freedom: float
    prompt_share: float
    cells: int
    prompts: int
    images: int
    draws: int

    def margin(self, level: float) -> float:
        """Half-width of the symmetric Student interval."""
        if self.error in (0.0, np.inf):
            return self.error
        return float(stats.t.ppf((1.0 + level) / 2.0, self.freedom)) * self.error

    def detectable(self, *, power: float = POWER, level: float = 0.95) -> float:
        """Return the smallest true mean that a two-sided test at ``1 - level`` detects with the given power."""
        if self.error in (0.0, np.inf):  # cells that all agree say nothing about their scatter
            return np.inf
        return self.margin(level) + float(stats.t.ppf(power, self.freedom)) * self.error


def two_way_spread(values: ArrayLike) -> Spread:
    """Compute mean and standard error of one method's values [prompts, images], nan if a cell does not count.

    With one prompt the error is over images only, with one image over prompts only.
    """
    cells = grid(values)
    if not cells.size:
        return Spread(float("nan"), np.inf, 1.0, 0.0, 0, 0, 0, 0)
    prompts, images = cells.shape
    there = np.isfinite(cells)
    n = int(there.sum())
    mean = float(cells[there].mean())
    residual = np.where(there, cells - mean, 0.0)
    if np.abs(residual).max() <= 1e-13 * max(1.0, abs(mean)):
        residual = np.zeros_like(residual)

    def known(error: float, freedom: float, prompt_share: float) -> Spread:
        # A single prompt, or image, is not a sample of them: the error is over the others.
        draws = max(prompts, images) if 1 in (prompts, images) else min(prompts, images)
        return Spread(mean, error, freedom, prompt_share, n, prompts, images, draws)

    if n == 1:
        return known(np.inf, 1.0, 0.0)
    if prompts == 1 or images == 1:
        square = float((residual**2).sum()) / (n * (n - 1))
        return known(square**0.5, n - 1.0, float(images == 1))

    by_prompt = prompts / (prompts - 1) * float((residual.sum(1) ** 2).sum()) / n**2
    by_image = images / (images - 1) * float((residual.sum(0) ** 2).sum()) / n**2
    noise_freedom = n - prompts - images + 1
    noise = float((_additive_residual(cells, there) ** 2).sum()) / (noise_freedom * n) if noise_freedom > 0 else 0.0
    prompt_part, image_part = max(by_prompt - noise, 0.0), max(by_image - noise, 0.0)
    square = prompt_part + image_part + noise
    if square == 0.0:
        return known(0.0, float(n - 1), 0.0)
    # Weight of each mean square in the sum, for Satterthwaite's formula.
    used = (1.0 - (prompt_part > 0) - (image_part > 0)) * noise
    parts = [(by_prompt if prompt_part > 0 else 0.0, prompts - 1), (by_image if image_part > 0 else 0.0, images - 1)]
    spread = sum(part**2 / freedom for part, freedom in [*parts, (used, max(noise_freedom, 1))])
    freedom = max(square**2 / spread, float(min(prompts, images) - 1))
    return known(square**0.5, freedom, prompt_part / square)


def spread_of(values: ArrayLike, *, fixed_prompts: bool) -> Spread:
    """Apply `fixed_prompts_spread` or `two_way_spread`, depending on whether prompts are fixed."""
    return fixed_prompts_spread(values) if fixed_prompts else two_way_spread(values)


def fixed_prompts_spread(values: ArrayLike) -> Spread:
    """Compute mean and standard error of one method's values [prompts, images] for fixed prompts and other images.

    Prompts may have different images; if any prompt has fewer than two values, its scatter is unknown and the error is
    infinite.
    """
    cells = grid(values)
    if not cells.size:
        return Spread(float("nan"), np.inf, 1.0, 0.0, 0, 0, 0, 0)
    prompts, images = cells.shape
    there = np.isfinite(cells)
    n, mean = int(there.sum()), float(cells[there].mean())
    residuals = prompt_residuals(cells)
    known = residuals is not None and images > 1
    error = float(np.sqrt((residuals.sum(0) ** 2).sum())) / n if residuals is not None and known else np.inf
    if error <= 1e-13 * max(1.0, abs(mean)):
        error = 0.0
    # The scatter of every prompt is estimated from its own photos, however many the pool has.
    freedom = float(max(there.sum(1).min() - 1, 1))
    return Spread(mean, error, freedom, 0.0, n, prompts, images, images)


def prompt_residuals(cells: Values) -> Values | None:
    """Compute deviations from each prompt's mean [prompts, images], scaled to unbiased squares; 0 without a value.

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
    """Compute the residual of a fit of prompt and image effects; zero where there is no value."""
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
