"""Define the range of every metric; intervals are clipped to it."""

from __future__ import annotations

import math

Bounds = tuple[float, float]

SHARE: Bounds = (0.0, 1.0)
"""Range of rates: the value of an image is 0 or 1, or a share."""
COSINE: Bounds = (-1.0, 1.0)
DISTANCE: Bounds = (0.0, math.inf)
PERCENT_COSINE: Bounds = (-100.0, 100.0)
PERCENT_GAIN: Bounds = (-200.0, 200.0)
"""Range of differences of two rates."""
CHANGED = "changed_"
"""Prefix of the metrics that say for each attribute whether the edit changed it."""

RANGES: dict[str, Bounds] = {
    "success": SHARE,
    "success_second": SHARE,
    "success_pixels": SHARE,
    "preservation": SHARE,
    "preservation_photo": SHARE,
    "oracles_agree": SHARE,
    "identity_verified": SHARE,
    "r_precision": SHARE,
    "reciprocal_rank": SHARE,
    "same_subject": SHARE,
    "clip_direction": COSINE,
    "clip_direction_photo": COSINE,
    "clip_direction_in_loop": COSINE,
    "clip_direction_photo_in_loop": COSINE,
    "identity": COSINE,
    "identity_inversion": COSINE,
    "identity_in_loop": COSINE,
    "ssim": COSINE,
    "ssim_inversion": COSINE,
    "ssim_outside": COSINE,
    "psnr": DISTANCE,
    "psnr_inversion": DISTANCE,
    "psnr_outside": DISTANCE,
    "l1": DISTANCE,
    "l1_inversion": DISTANCE,
    "l1_outside": DISTANCE,
    "l1_inside": DISTANCE,
    "lpips": DISTANCE,
    "lpips_inversion": DISTANCE,
    "lpips_outside": DISTANCE,
    "geometry_drift": DISTANCE,
    "pair_distance": DISTANCE,
    "clip_score": PERCENT_COSINE,
    "clip_score_in_loop": PERCENT_COSINE,
    "clip_gain": PERCENT_GAIN,
    "clip_gain_in_loop": PERCENT_GAIN,
    "clip_gain_photo": PERCENT_GAIN,
    "clip_gain_photo_in_loop": PERCENT_GAIN,
}
"""Image metric -> its range."""


def bounds_of(metric: str) -> Bounds | None:
    """Return the range of an image metric; None if unknown."""
    return SHARE if metric.startswith(CHANGED) else RANGES.get(metric)


def is_rate(metric: str) -> bool:
    """Whether a metric is a rate, for which a few images that all agree do not prove certainty."""
    return bounds_of(metric) == SHARE
