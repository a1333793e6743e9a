"""Identify how a value was measured: two values share a table column only if their protocol ids are equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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
    pixels: str = "uint8",
    reference: str,
    dtype: str = "float32",
    version: int = 1,
) -> str:
    """Encode everything that a value depends on as text.

    Args:
        metric: registry name, such as ``lpips``.
        network: the evaluating network, such as ``mini-perceptual``; ``none`` for pixel formulas.
        digest: first digits of its weights' SHA-256; ``""`` without a network.
        resize: ``native`` (no resize), ``network`` (the network's own preprocessing) or a named rule such as ``clean``.
        pixels: how images are quantised before anything else.
        reference: reference of the edit: ``photo``, ``inversion``, ``text``, ``truth``, ...
        dtype: number format of the network pass; sums are always float64.
        version: increased manually when the computation changes.
    """
    judge = f"{network}:{digest}" if digest else network
    return f"{metric}@{judge}+resize={resize}+pixels={pixels}+ref={reference}+dtype={dtype}+v{version}"
