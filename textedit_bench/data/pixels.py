"""8-bit pixels: converted losslessly to and from images of networks, encoded as PNG, saved as pictures."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from textedit_bench.files import write_atomically
from textedit_bench.levels import from_levels, to_levels

Pixels = NDArray[np.uint8]


def to_uint8(images: Tensor) -> Pixels:
    """Convert images [N, 3, H, W] in [-1, 1] to 8-bit [N, H, W, 3], rounded to the nearest level.

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected images [N, 3, H, W], got {tuple(images.shape)}")
    if not torch.isfinite(images).all():
        raise ValueError("images hold values that are not finite")
    pixels: Pixels = to_levels(images).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


def to_images(pixels: Pixels, device: torch.device | str = "cpu") -> Tensor:
    """Convert 8-bit [N, H, W, 3] to images [N, 3, H, W] float32 in [-1, 1]; inverse of `to_uint8`."""
    return from_levels(torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)).contiguous()


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


FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Formats by file extension."""


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture atomically, in the format of its extension; PNG without one."""
    form = FORMATS.get(path.suffix.lower(), "PNG")
    write_atomically(path, lambda temporary: picture.save(temporary, form))
