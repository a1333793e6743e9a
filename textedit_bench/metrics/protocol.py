"""Identify how a figure was measured: two figures share a table column only if their protocol ids are equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Scope = Literal["image", "set"]
AXES = (("success", "preservation"), ("clip_direction", "identity"))
"""Effect and what is kept: ground truth where there is one, else judges that no method optimises."""


@dataclass(frozen=True)
class Protocol:
    """A metric as measured here.

    Attributes:
        id: everything the value depends on beside the images, built by `protocol_id`.
        title: how the metric is written in tables.
        higher_is_better: the direction of the arrow in tables.
        scope: ``image`` (one value per image) or ``set`` (one value per set of images).
        in_loop: whether the judging network may also be the one that methods optimise; such figures are shown but
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
        """The protocol of a set metric on ``n`` images against ``reference_n``: its value depends on both."""
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
    """Spell out what a figure depends on.

    Args:
        metric: registry name, such as ``lpips``.
        network: which network judges, such as ``mini-perceptual``; ``none`` for pixel formulas.
        digest: first digits of its weights' SHA-256; ``""`` without a network.
        resize: ``native`` (no resize), ``network`` (the network's own preprocessing) or a named rule such as ``clean``.
        pixels: how images are quantised before anything else.
        reference: what the edit is compared with: ``photo``, ``inversion``, ``text``, ``truth``, ...
        dtype: number format of the network pass; sums are always float64.
        version: raised by hand when the computation changes.
    """
    judge = f"{network}:{digest}" if digest else network
    return f"{metric}@{judge}+resize={resize}+pixels={pixels}+ref={reference}+dtype={dtype}+v{version}"
