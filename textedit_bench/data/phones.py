"""Pictures as phones make them: HEIC, and more pixels than are decoded."""

from __future__ import annotations

import io
from typing import Any

from textedit_bench.data.unusable import UnusableImageError
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

JPEG = b"\xff\xd8\xff"
_FACTORS = (2, 4, 8)
"""By which JPEG can be decoded smaller, at less cost than whole."""


def made_to_fit(opened: Any, max_pixels: int, *, jpeg: bool) -> list[str]:
    """Let a picture that is not decoded yet keep to a number of pixels; what is done to it, in words.

    Args:
        opened: Pillow's; its ``load`` will decode it.
        max_pixels: how many are decoded at most.
        jpeg: whether it can be decoded at a half, a quarter or an eighth.

    Raises:
        UnusableImageError: it claims more pixels.
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
    """A HEIC file, which Pillow alone does not read, opened as Pillow opens others.

    Raises:
        UnusableImageError: the package that reads it is not there, or it is damaged.
    """
    try:
        return heic_reader()(io.BytesIO(data))
    except UserError as error:
        raise UnusableImageError(f"HEIC; save it as PNG or JPEG, or install what reads it: {error}") from error
    except Exception as error:  # the library's own kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UnusableImageError(f"HEIC; save it as PNG or JPEG ({reason})") from error


def heic_reader() -> Any:
    """What opens HEIC as Pillow opens other files.

    Raises:
        UserError: the package that does is not installed.
    """
    with needs_extra("heif", "reading HEIC"):
        from pillow_heif import HeifImageFile
    return HeifImageFile
