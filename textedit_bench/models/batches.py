"""Choose the batch size of a generator's passes."""

from __future__ import annotations

BUDGET = 2 * 2**30
"""Bytes of features that one pass may hold."""
MOST = 64
"""Images per pass where memory is no matter; fixed, since the last digits depend on the size of a batch."""
_WIDTH = 32768
"""Channels times side of the widest layers of StyleGAN2's configuration F, from 64 pixels on."""
_COPIES = 3
"""Of a layer's float32 features that live at a time: input, output, and what lies between."""


def images_at_once(resolution: int, most: int = MOST) -> int:
    """Return the batch size for pictures of ``resolution`` pixels in a generator or network: 5 at 1024, 21 at 256.

    Args:
        resolution: side of the pictures.
        most: where memory allows more.
    """
    return max(1, min(most, BUDGET // (_COPIES * 4 * _WIDTH * resolution)))
