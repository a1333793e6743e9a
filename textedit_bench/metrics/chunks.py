"""Choose how many pictures are measured at once: bounded by memory, and the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 64
"""Pictures at once, however small they are."""
BYTES = 1 << 28
"""What the intermediates of one chunk may take."""


def pictures_at_once(shape: Sequence[int], bytes_per_pixel: int) -> int:
    """How many pictures of a shape [..., H, W] to take at once, 1 to `MOST`.

    It depends on the resolution alone, never on the memory that is free: convolution kernels are chosen by batch size,
    which moves the last digits.

    Args:
        shape: of one picture or of a batch.
        bytes_per_pixel: what the work keeps for every pixel of a picture.
    """
    height, width = shape[-2:]
    return max(1, min(MOST, BYTES // (height * width * bytes_per_pixel)))
