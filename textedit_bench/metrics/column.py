"""Values of one metric for a batch of images: the state of each, how it was measured (its protocol), and its range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Scope = Literal["image", "set"]
AXES = (("success", "preservation"), ("clip_direction", "identity"))
"""Metrics of effect and preservation: ground truth if known, else networks that no method optimises."""


@dataclass(frozen=True)
class Protocol:
    """The exact definition of a measured metric.

    Attributes:
        id: everything the value depends on in addition to the images, built by `protocol_id`.
        title: title of the metric in tables.
        higher_is_better: the direction of the arrow in tables.
        scope: ``image`` (one value per image) or ``set`` (one value per set of images).
        in_loop: whether methods may optimise the evaluating network; such values are shown but
            never ranked.
        decimals: digits after the point in tables.
    """

    id: str
    title: str
    higher_is_better: bool
    scope: Scope = "image"
    in_loop: bool = False
    decimals: int = 3

    def with_counts(self, n: int, reference_n: int) -> Protocol:
        """Return the protocol of a set metric on ``n`` images and ``reference_n``, which its value depends on."""
        return replace(self, id=f"{self.id}+n={n}+nref={reference_n}")


def protocol_id(
    metric: str,
    *,
    network: str,
    digest: str,
    resize: str,
    reference: str,
    dtype: str = "float32",
    version: int = 1,
) -> str:
    """Encode everything that a value depends on as text; all images are rounded to 8 bits first.

    Args:
        metric: registry name, such as ``lpips``.
        network: the evaluating network, such as ``mini-perceptual``; ``none`` for pixel formulas.
        digest: first digits of its weights' SHA-256; ``""`` without a network.
        resize: ``native`` (no resize), ``network`` (the network's own preprocessing) or a named rule such as ``clean``.
        reference: reference of the edit: ``photo``, ``inversion``, ``text``, ``truth``, ...
        dtype: number format of the network pass; sums are always float64.
        version: increased manually when the computation changes.
    """
    judge = f"{network}:{digest}" if digest else network
    return f"{metric}@{judge}+resize={resize}+pixels=uint8+ref={reference}+dtype={dtype}+v{version}"


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


OK = "ok"
NO_FACE_SOURCE = "no face in source"
NO_FACE_EDIT = "no face in edit"
NO_CHANGE = "no change"
NO_TEXT_CHANGE = "no text change"
IDENTICAL = "identical"
HIDDEN = "attribute hidden"
ALREADY_SO = "already so"
NO_TRUTH = "no ground truth"
NOTHING_ELSE = "nothing else visible"
ABSTAINED = "oracles abstain"
NOT_IN_PIXELS = "not readable from pixels"
EMPTY_MASK = "empty mask"
NO_REGION = "no edited region known"
NO_THRESHOLD = "no threshold known"
NOT_FINITE = "nan"

STATES = (
    OK,
    NO_FACE_SOURCE,
    NO_FACE_EDIT,
    NO_CHANGE,
    NO_TEXT_CHANGE,
    IDENTICAL,
    HIDDEN,
    ALREADY_SO,
    NO_TRUTH,
    NOTHING_ELSE,
    ABSTAINED,
    NOT_IN_PIXELS,
    EMPTY_MASK,
    NO_REGION,
    NO_THRESHOLD,
    NOT_FINITE,
)
"""The closed set of states. Only ``ok`` enters a mean; every other state is counted and shown."""


@dataclass(frozen=True)
class Column:
    """Values of one metric over N images.

    Attributes:
        values: float64 [N]; nan exactly where the state is not ``ok``.
        states: N entries of `STATES`.
    """

    values: NDArray[np.float64]
    states: list[str]

    @classmethod
    def joined(cls, parts: Sequence[Column]) -> Column:
        """Concatenate columns of consecutive images."""
        return cls(np.concatenate([part.values for part in parts]), [state for part in parts for state in part.states])

    @classmethod
    def of(cls, values: ArrayLike | Tensor, states: Sequence[str] | None = None) -> Column:
        """Create a column in which a value counts if and only if its state is ``ok`` and it is finite."""
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        numbers = np.array(values, dtype=np.float64)
        named = [OK] * len(numbers) if states is None else list(states)
        if len(named) != len(numbers):
            raise ValueError(f"{len(numbers)} values but {len(named)} states")
        for state in set(named).difference(STATES):
            raise ValueError(f"unknown state {state!r}; valid: {', '.join(STATES)}")
        finite = np.isfinite(numbers).tolist()
        named = [NOT_FINITE if state == OK and not known else state for state, known in zip(named, finite, strict=True)]
        numbers[[state != OK for state in named]] = np.nan
        return cls(numbers, named)

    @classmethod
    def without_value(cls, n: int, state: str) -> Column:
        """Create a column of N images that all lack a value for the same reason."""
        return cls.of([float("nan")] * n, [state] * n)

    def where(self, bad: Sequence[bool], state: str) -> Column:
        """Return the column with ``state`` wherever ``bad`` is True."""
        if not any(bad) and len(bad) == len(self):
            return self
        return Column.of(self.values, [state if b else s for b, s in zip(bad, self.states, strict=True)])

    def __len__(self) -> int:
        return len(self.states)
