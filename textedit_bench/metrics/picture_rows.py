"""Crop the rows of a canvas that contain picture: LSUN cars are 512x384 between black bars of a 512x512 canvas.

Bars, which are equal by construction, would add 1.25 dB to PSNR and dilute LPIPS and FID (Karras et al. 2020 add them).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.protocol import Protocol

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

EVERYTHING = slice(None)


def content_rows(domain: Domain) -> slice:
    """Return the rows of the tier's canvas that contain picture; all of them if there are no bars."""
    side, height = domain.resolution, domain.tier_card.height
    if height is None or height == side:
        return EVERYTHING
    first = (side - height) // 2
    return slice(first, first + height)


def content_of(batch: ImageBatch, rows: slice) -> ImageBatch:
    """Crop the bars off pictures, which keep their digests: metrics ignore the bars."""
    if rows == EVERYTHING:
        return batch
    return ImageBatch(batch.images[:, :, rows].contiguous(), batch.keys, batch.finite)


def of_rows(protocol: Protocol, rows: slice) -> Protocol:
    """Return the protocol of a metric that is restricted to these rows."""
    if rows == EVERYTHING:
        return protocol
    return replace(protocol, id=protocol.id.replace("+ref=", f"+rows={rows.start}-{rows.stop - 1}+ref="))
