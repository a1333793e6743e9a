"""Encoded bytes to 8-bit RGB pictures; whatever cannot be used is refused with a reason, never guessed."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""What is decoded, by content. Pillow reads more; some of it (EPS) starts other programs, so the list is closed."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm")
MAX_PIXELS = 64_000_000
"""A 1024 picture has 1 million; a file of a few kilobytes can claim billions."""
MAX_BYTES = 256_000_000
"""Encoded size above which a file is not read at all."""


class UnusableImageError(ValueError):
    """An image that is skipped; the message says why."""


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture that encoded bytes hold, upright, as 8-bit RGB; transparency is dropped, of many frames the first.

    Args:
        data: a file of one of `FORMATS`; what it is follows from its content.
        max_pixels: pictures that claim more are refused before they are decoded.

    Raises:
        UnusableImageError: empty, damaged, too large, of no known format, or with numbers that have no agreed range.
    """
    if not data:
        raise UnusableImageError("empty")
    if len(data) > MAX_BYTES:
        raise UnusableImageError(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning comes before our check and refuses nothing
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
            if opened.width * opened.height > max_pixels:
                raise UnusableImageError(f"{opened.width}x{opened.height} pixels; at most {max_pixels} are decoded")
            opened.load()
            return _rgb(ImageOps.exif_transpose(opened))
    except UnusableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnusableImageError(f"not a picture that can be decoded (none of {', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"too large to be decoded ({error})") from error
    except Exception as error:  # Pillow answers damaged data with nearly every exception there is
        raise UnusableImageError(f"not a picture that can be decoded ({_one_line(error)})") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # Pillow's own conversion clips 16-bit levels at 255
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode == "F":
        raise UnusableImageError("floating-point levels, whose range no file states")
    return image.convert("RGB")


def _eight_bits(levels: Any) -> Any:
    if levels.min() < 0 or levels.max() > 65535:
        raise UnusableImageError("levels of more than 16 bits")
    return np.rint(levels.astype(np.float64) / 257.0).astype(np.uint8)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
