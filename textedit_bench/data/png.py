"""Encode 8-bit RGB pictures as standard PNG, twice as fast as Pillow and about as small."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from textedit_bench.data.pixels import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT_RGB = (8, 2, 0, 0, 0)
"""Bits per channel, kind of colour, compression, filter method, no interlacing."""
_AVERAGE = 3
"""The filter that predicts a byte by the mean of its left and upper neighbours, used for every row.

Pillow tries all five filters on every row, which takes half of its time.
"""


def encode_png(picture: Pixels) -> bytes:
    """Encode a picture [H, W, 3] as PNG, with deterministic bytes; releases the GIL.

    Raises:
        ValueError: another shape or type.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ValueError(f"expected 8-bit pixels [H, W, 3], got {picture.dtype} {picture.shape}")
    height, width = picture.shape[:2]
    rows = picture.reshape(height, 3 * width)
    left, above = np.zeros_like(rows), np.zeros_like(rows)
    left[:, 3:], above[1:] = rows[:, :-3], rows[:-1]
    # The mean of two bytes, rounded down, within a byte.
    half = left ^ above
    half >>= 1
    left &= above
    left += half
    filtered = np.full((height, 1 + 3 * width), _AVERAGE, np.uint8)
    np.subtract(rows, left, out=filtered[:, 1:])
    # Run-length matching only: after the filter, photos have no longer repeats.
    packer = zlib.compressobj(level=1, memLevel=9, strategy=zlib.Z_RLE)
    packed = packer.compress(filtered.data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, *_EIGHT_BIT_RGB)
    return _SIGNATURE + b"".join(_chunk(*part) for part in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
