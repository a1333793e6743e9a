"""Read pictures from phones: HEIC, and more pixels than are decoded."""

from __future__ import annotations

import io
from typing import Any

from textedit_bench.data.unusable import UnusableImageError
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

JPEG = b"\xff\xd8\xff"
_FACTORS = (2, 4, 8)
"""Factors by which JPEG can be decoded smaller, at lower cost."""


def made_to_fit(opened: Any, max_pixels: int, *, jpeg: bool) -> list[str]:
    """Limit the number of pixels of a picture that is not decoded yet; return a description of the change.

    Args:
        opened: a picture opened by Pillow; its ``load`` will decode it.
        max_pixels: maximum number of decoded pixels.
        jpeg: whether it can be decoded at a half, a quarter or an eighth of its size.

    Raises:
        UnusableImageError: it declares more pixels.
    """
    width, height = opened.size
    if width * height <= max_pixels:
        return []
    for factor in _FACTORS if jpeg else ():
        if -(-width // factor) * -(-height // factor) <= max_pixels:
            opened.draft(None, (max(1, width // factor), max(1, height // factor)))
            return [f"decoded at 1/{factor} of its size, since it has more than {max_pixels} pixels"]
    raise UnusableImageError(
        f"{width}x{height} pixels; at most {max_pixels} are decoded: save it smaller, or as JPEG (decoded smaller)"
    )


def open_heic(data: bytes) -> Any:
    """Open a HEIC file, which Pillow alone does not read.

    Raises:
        UnusableImageError: the required package is not installed, or the file is damaged.
    """
    try:
        return heic_reader()(io.BytesIO(data))
    except UserError as error:
        raise UnusableImageError(f"HEIC; save it as PNG or JPEG, or install what reads it: {error}") from error
    except Exception as error:  # the library's own kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UnusableImageError(f"HEIC; save it as PNG or JPEG ({reason})") from error


def heic_reader() -> Any:
    """Return the function that opens HEIC files like `Image.open`.

    Raises:
        UserError: the required package is not installed.
    """
    with needs_extra("heif", "reading HEIC"):
        from pillow_heif import HeifImageFile
    return HeifImageFile
