"""Decode bytes to 8-bit sRGB pictures; unusable data are refused with a reason.

Every input picture is decoded here, so the same file gives the same pixels everywhere.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from textedit_bench.data.colours import ROUNDED, to_srgb
from textedit_bench.data.not_decoded import HEIC, brand_of, name_of
from textedit_bench.data.phones import JPEG, made_to_fit, open_heic
from textedit_bench.data.png_texts import without_texts
from textedit_bench.data.unusable import UnusableImageError
from textedit_bench.errors import one_line

__all__ = ["Decoded", "UnusableImageError", "changes_in_words", "decode", "decode_picture"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""Decoded formats, detected from the content; also HEIC with the extra ``heif``. Pillow reads more formats, some of
which (EPS) start other programs, so the list is closed."""
_SUFFIXES = ".png .jpg .jpeg .jfif .jpe .webp .bmp .tif .tiff .gif .ppm .heic .heif"
SUFFIXES = tuple(_SUFFIXES.split())
MAX_PIXELS = 64_000_000
"""A picture of side 1024 has 1 million; a file of a few kilobytes can declare billions."""
MAX_BYTES = 256_000_000
"""Maximum encoded size; larger files are not read."""
TURNED = "turned upright, as its EXIF orientation says"
FRAMES = "the first of its frames taken"
_ORIENTATION = 0x0112
_NAMED = 3


@dataclass(frozen=True)
class Decoded:
    """A decoded picture with the changes made by decoding.

    Attributes:
        image: 8-bit RGB in sRGB, upright.
        changes: descriptions of differences from the stored pixels; empty for plain 8-bit RGB and grey.
    """

    image: Image.Image
    changes: tuple[str, ...]


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture, without its changes; see `decode_picture`."""
    return decode_picture(data, max_pixels).image


def decode_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decode a picture to 8-bit sRGB.

    The EXIF orientation is applied; 16-bit levels are rounded to 8 bits; palettes and greys become
    RGB; an embedded colour profile other than sRGB is applied, CMYK without one is converted by the plain formula;
    transparency is composited over white; of several frames the first is used. `Decoded.changes` lists the changes that
    were made.

    Args:
        data: a file in one of `FORMATS`, detected from its content.
        max_pixels: pictures that declare more are refused before decoding; a JPEG is decoded at a reduced size
            instead.

    Raises:
        UnusableImageError: empty, damaged, truncated, too large, of unknown format, or with values without a defined
            range.
    """
    if not data:
        raise UnusableImageError("empty")
    if len(data) > MAX_BYTES:
        raise UnusableImageError(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's decompression bomb warning precedes our check
            opened = open_heic(data) if brand_of(data) == HEIC else _opened(data)
            return _decoded(opened, made_to_fit(opened, max_pixels, jpeg=data.startswith(JPEG)))
    except UnusableImageError:
        raise
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"too large to be decoded ({error})") from error
    except Exception as error:  # Pillow raises nearly any exception on damaged data
        if (plain := without_texts(data)) is not None:
            return decode_picture(plain, max_pixels)
        if isinstance(error, UnidentifiedImageError):
            known = name_of(data) or f"none of {', '.join(FORMATS)}"
            raise UnusableImageError(f"not a picture that can be decoded ({known})") from error
        raise UnusableImageError(f"not a picture that can be decoded ({one_line(error)})") from error


def changes_in_words(changed: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Summarise pairs of picture name and changes: one line per kind with the number of pictures and the first."""
    names: dict[str, list[str]] = {}
    for name, changes in changed:
        for change in changes:
            names.setdefault(change, []).append(name)
    return [
        f"{len(found)} {'picture' if len(found) == 1 else 'pictures'}: {change} "
        f"({', '.join(found[:_NAMED])}{', ...' if len(found) > _NAMED else ''})"
        for change, found in names.items()
    ]


def _opened(data: bytes) -> Any:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:  # a picture that Pillow refuses at full size may be decoded smaller
        if not data.startswith(JPEG):
            raise
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def _decoded(opened: Any, changes: list[str]) -> Decoded:
    deep = _has_deep_channels(opened)  # loading drops it, and reading metadata loads some formats
    turned = _orientation(opened)
    opened.load()
    image = opened.copy()
    if _has_more_frames(opened):
        changes.append(FRAMES)
    if turned:
        changes.append(TURNED)
        if _orientation(image):  # Pillow turns some formats while it loads them
            image = ImageOps.exif_transpose(image)
    image, colours = to_srgb(image)
    if deep and ROUNDED not in colours:
        changes.append(ROUNDED)
    return Decoded(image, (*changes, *colours))


def _orientation(image: Any) -> int:
    """Return the EXIF orientation if it is not upright, else 0; unreadable metadata count as upright."""
    try:
        found = image.getexif().get(_ORIENTATION)
    except Exception:  # any error of Pillow on damaged metadata
        return 0
    return found if found in range(2, 9) else 0


def _has_deep_channels(opened: Any) -> bool:
    """Whether Pillow would truncate 16-bit colour channels to their upper 8 bits."""
    if opened.mode.startswith("I"):
        return False
    modes = (
        tile[3] if isinstance(tile[3], str) else tile[3][0] for tile in opened.tile if tile[0] != "jpeg" and tile[3]
    )
    return any("16" in str(mode) for mode in modes)


def _has_more_frames(opened: Any) -> bool:
    """Whether the file has more frames than the loaded one; damaged frames do not count."""
    try:
        return int(getattr(opened, "n_frames", 1)) > 1
    except Exception:  # as of `Image.open`
        return False
