"""Choose how many pictures are processed at once: bounded by memory, and the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 64
"""Maximum number of pictures at once, even if they are small."""
BYTES = 1 << 28
"""Maximum bytes of the intermediates of one chunk."""


def pictures_at_once(shape: Sequence[int], bytes_per_pixel: int) -> int:
    """Return how many pictures of a shape [..., H, W] to process at once, 1 to `MOST`.

    It depends only on the resolution, never on the free memory: convolution algorithms are chosen by batch size, which
    affects the last digits.

    Args:
        shape: of one picture or of a batch.
        bytes_per_pixel: memory that the work needs per pixel of a picture.
    """
    height, width = shape[-2:]
    return max(1, min(MOST, BYTES // (height * width * bytes_per_pixel)))
