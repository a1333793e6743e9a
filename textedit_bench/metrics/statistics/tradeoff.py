"""Effect versus preservation over all strengths: matched comparison, area under the envelope, reach, with intervals.

The strengths of a method form a curve. Its upper envelope at effect x is the best preservation at an effect of
x or more: strengths with less effect and less preservation are dominated. Whole curves are resampled over prompts and
images, with the same draws for every method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

DRAWS = 1000
QUARTERS = (0.25, 0.5, 0.75)
_GRID = 101
"""Number of points over which the envelope is averaged for the area."""


@dataclass(frozen=True)
class Measure:
    """A number per method with its 95 % interval; nan if unknown.

    Attributes:
        point, low, high: [M].
    """

    point: Values
    low: Values
    high: Values


@dataclass(frozen=True)
class Tradeoff:
    """Comparison of M curves.

    Attributes:
        reference: the effect that every method reaches: the smallest of their maxima.
        matched: share of ``reference`` -> preservation at that effect.
        area: mean of the envelope over the effects from the largest of the curves' minima to ``reference``.
        reach: the largest effect of each method.
    """

    reference: float
    matched: dict[float, Measure]
    area: Measure
    reach: Measure


def envelope(effect: ArrayLike, kept: ArrayLike, at: ArrayLike) -> Values:
    """Compute the upper envelope of piecewise linear curves, nonincreasing in the effect.

    Args:
        effect: effect per strength [..., S].
        kept: what is kept per strength [..., S].
        at: effects [G] at which the envelope is evaluated.

    Returns:
        [..., G]; nan if the curve does not reach the effect.
    """
    x, y, grid = (np.asarray(a, dtype=np.float64) for a in (effect, kept, at))
    best = np.full((*x.shape[:-1], len(grid)), -np.inf)
    for s in range(x.shape[-1]):
        there = x[..., s, None] >= grid
        best = np.where(there & (y[..., s, None] > best), y[..., s, None], best)
    for s in range(x.shape[-1] - 1):
        x0, x1, y0, y1 = (part[..., None] for part in (x[..., s], x[..., s + 1], y[..., s], y[..., s + 1]))
        crossing = (np.minimum(x0, x1) <= grid) & (grid <= np.maximum(x0, x1)) & (x0 != x1)
        with np.errstate(invalid="ignore", divide="ignore"):
            between = y0 + (grid - x0) / (x1 - x0) * (y1 - y0)
        best = np.where(crossing & (between > best), between, best)
    return np.where(np.isinf(best), np.nan, best)


def compare(effect: ArrayLike, kept: ArrayLike, *, draws: int = DRAWS, level: float = 0.95, seed: int = 0) -> Tradeoff:
    """Compare methods by their whole curves.

    Args:
        effect: [methods, strengths, prompts, images], nan if a cell does not count.
        kept: what is kept, same shape.
        draws: resamples of prompts and images.
        level: coverage of the intervals.
        seed: of the resamples.

    Raises:
        ValueError: shapes differ, or a method without any value.
    """
    x, y = np.asarray(effect, dtype=np.float64), np.asarray(kept, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"effect and kept must be [methods, strengths, prompts, images], got {x.shape} and {y.shape}")
    weights = cell_weights(x.shape[2], x.shape[3], draws, seed)
    curves = np.stack([_curves(x, weights), _curves(y, weights)])
    if np.isnan(curves[:, :, 0]).any():
        raise ValueError("a method has no value at some strength")
    points = curves[:, :, 0]
    reach = points[0].max(-1)
    reference, start = float(reach.min()), float(max(0.0, points[0].min(-1).max()))
    at = np.array([share * reference for share in QUARTERS])
    grid = np.linspace(min(start, reference), reference, _GRID)
    # A resample that does not reach this effect gets the preservation at its furthest point.
    matched, whole = (_clamped(curves, points) for points in (at, grid))
    return Tradeoff(
        reference,
        {share: _measure(matched[..., i], level) for i, share in enumerate(QUARTERS)},
        _measure(whole.mean(-1), level),
        _measure(curves[0].max(-1), level),
    )


def cell_weights(prompts: int, images: int, draws: int = DRAWS, seed: int = 0) -> Values:
    """Draw how often each cell counts, [1 + draws, prompts, images]; the first entry is the sample itself."""
    rng = np.random.default_rng(seed)
    p = rng.multinomial(prompts, np.full(prompts, 1.0 / prompts), draws).astype(np.float64)
    i = rng.multinomial(images, np.full(images, 1.0 / images), draws).astype(np.float64)
    drawn: Values = p[:, :, None] * i[:, None, :]
    return np.concatenate([np.ones((1, prompts, images)), drawn])


def _curves(values: Values, weights: Values) -> Values:
    """Compute weighted means per strength, [methods, 1 + draws, strengths]; a draw without values uses the sample's."""
    there = np.isfinite(values)
    cells = values.shape[2] * values.shape[3]
    flat, known = (
        np.where(there, values, 0.0).reshape(*values.shape[:2], cells),
        there.reshape(*values.shape[:2], cells),
    )
    w = weights.reshape(len(weights), cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.einsum("msc,rc->mrs", flat, w) / np.einsum("msc,rc->mrs", known.astype(np.float64), w)
    filled: Values = np.where(np.isnan(means), means[:, :1], means)
    return filled


def _clamped(curves: Values, at: Values) -> Values:
    """Compute the envelope [methods, 1 + draws, G], extended by the value of the furthest point."""
    found = envelope(curves[0], curves[1], at)
    last = np.take_along_axis(curves[1], curves[0].argmax(-1)[..., None], -1)
    return np.where(np.isnan(found), last, found)


def _measure(values: Values, level: float) -> Measure:
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    low, high = np.quantile(values[:, 1:], tails, axis=1)
    return Measure(values[:, 0], low, high)
