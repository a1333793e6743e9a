"""Decode bytes to 8-bit sRGB pictures; whatever cannot be used is refused with a reason, never guessed.

Every picture that enters goes through here, so the same file is the same pixels wherever it is named.
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
"""What is decoded, by content; HEIC too, with the extra ``heif``. Pillow reads more; some of it (EPS) starts other
programs, so the list is closed."""
_SUFFIXES = ".png .jpg .jpeg .jfif .jpe .webp .bmp .tif .tiff .gif .ppm .heic .heif"
SUFFIXES = tuple(_SUFFIXES.split())
MAX_PIXELS = 64_000_000
"""A 1024 picture has 1 million; a file of a few kilobytes can claim billions."""
MAX_BYTES = 256_000_000
"""Encoded size above which a file is not read at all."""
TURNED = "turned upright, as its EXIF orientation says"
FRAMES = "the first of its frames taken"
_ORIENTATION = 0x0112
_NAMED = 3


@dataclass(frozen=True)
class Decoded:
    """A picture, and what was done to it.

    Attributes:
        image: 8-bit RGB in sRGB, upright.
        changes: in words, what makes it differ from its stored pixels; empty for plain 8-bit RGB and grey.
    """

    image: Image.Image
    changes: tuple[str, ...]


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture that encoded bytes hold, without what was done to it; see `decode_picture`."""
    return decode_picture(data, max_pixels).image


def decode_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Decoded:
    """The picture that encoded bytes hold, as 8-bit sRGB.

    It is turned upright as its EXIF orientation says; 16-bit levels are rounded to 8 bits; palettes and greys become
    RGB; an embedded colour profile other than sRGB is applied, CMYK without one is turned by the plain formula;
    what is transparent is laid over white; of several frames the first is taken. `Decoded.changes` says which of it
    happened.

    Args:
        data: a file of one of `FORMATS`; what it is follows from its content.
        max_pixels: pictures that claim more are refused before they are decoded; a JPEG is decoded at a fraction of its
            size instead.

    Raises:
        UnusableImageError: empty, damaged, cut short, too large, of no known format, or with numbers that have no
            agreed range.
    """
    if not data:
        raise UnusableImageError("empty")
    if len(data) > MAX_BYTES:
        raise UnusableImageError(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning comes before our check and refuses nothing
            opened = open_heic(data) if brand_of(data) == HEIC else _opened(data)
            return _decoded(opened, made_to_fit(opened, max_pixels, jpeg=data.startswith(JPEG)))
    except UnusableImageError:
        raise
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"too large to be decoded ({error})") from error
    except Exception as error:  # Pillow answers damaged data with nearly every exception there is
        if (plain := without_texts(data)) is not None:
            return decode_picture(plain, max_pixels)
        if isinstance(error, UnidentifiedImageError):
            known = name_of(data) or f"none of {', '.join(FORMATS)}"
            raise UnusableImageError(f"not a picture that can be decoded ({known})") from error
        raise UnusableImageError(f"not a picture that can be decoded ({one_line(error)})") from error


def changes_in_words(changed: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """One line per kind of change, from pairs of a picture's name and its changes: how many pictures, and the first."""
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
    except Image.DecompressionBombError:  # what Pillow refuses as it stands may be decoded smaller
        if not data.startswith(JPEG):
            raise
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def _decoded(opened: Any, changes: list[str]) -> Decoded:
    deep = _has_deep_channels(opened)  # loading forgets it, and reading metadata loads some formats
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
    """The EXIF orientation where it is another than upright, else 0; metadata that cannot be read says nothing."""
    try:
        found = image.getexif().get(_ORIENTATION)
    except Exception:  # whatever Pillow meets in damaged metadata
        return 0
    return found if found in range(2, 9) else 0


def _has_deep_channels(opened: Any) -> bool:
    """Whether Pillow is about to cut 16-bit colour channels to their upper 8 bits."""
    if opened.mode.startswith("I"):
        return False
    modes = (
        tile[3] if isinstance(tile[3], str) else tile[3][0] for tile in opened.tile if tile[0] != "jpeg" and tile[3]
    )
    return any("16" in str(mode) for mode in modes)


def _has_more_frames(opened: Any) -> bool:
    """Whether the file holds more than the picture that was loaded; a damaged rest does not count."""
    try:
        return int(getattr(opened, "n_frames", 1)) > 1
    except Exception:  # as of `Image.open`
        return False
