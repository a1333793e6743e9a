"""Decode files and bytes to 8-bit sRGB pictures; unusable data are refused with a reason.

Every input picture is decoded here, so the same file gives the same pixels everywhere: also those of phones (HEIC, more
pixels than are decoded). Formats that are not decoded, and other files in place of pictures, are named.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from textedit_bench.data.colours import ROUNDED, UnusableImageError, to_srgb
from textedit_bench.errors import UserError, one_line
from textedit_bench.extras import needs_extra

HEIC = "HEIC"
_BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), HEIC) | dict.fromkeys(
    (b"avif", b"avis"), "AVIF"
)
_BEGINNINGS = {
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"8BPS": "a Photoshop file",
    b"\0\0\x01\0": "an icon",
    b"%PDF": "PDF",
}
_TEXTS = {
    b"version https://git-lfs": "a Git LFS pointer; 'git lfs pull' fetches the picture",
    b"<!doctype html": "a web page; what was saved is an answer of a server, not the picture",
    b"<html": "a web page; what was saved is an answer of a server, not the picture",
    b"<svg": "SVG; export it as PNG",
    b"<?xml": "SVG or other XML; export it as PNG",
}


def brand_of(data: bytes) -> str | None:
    """Return the picture format in an ISO media container (also used by films); None if it is another file."""
    return _BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None


def name_of(data: bytes) -> str | None:
    """Describe bytes and what to do about them, for a message; None if they are unknown."""
    if data[4:8] == b"ftyp":
        brand = brand_of(data)
        return f"{brand}; save it as PNG or JPEG" if brand else "a film"
    for beginning, name in _BEGINNINGS.items():
        if data.startswith(beginning):
            return f"{name}; save it as PNG or JPEG"
    text = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((name for beginning, name in _TEXTS.items() if text.startswith(beginning)), None)


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"tIME")


def without_texts(data: bytes) -> bytes | None:
    """Remove the text chunks (captions, settings of a program) of a PNG; None if there are none, or it is not a PNG."""
    if not data.startswith(_SIGNATURE):
        return None
    kept, at = [_SIGNATURE], len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if data[at + 4 : at + 8] not in _NOTES:
            kept.append(data[at:end])
        at = end
    kept.append(data[at:])
    found = b"".join(kept)
    return found if len(found) < len(data) else None


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
        raise UnusableImageError(f"HEIC; save it as PNG or JPEG ({one_line(error)})") from error


def heic_reader() -> Any:
    """Return the function that opens HEIC files like `Image.open`.

    Raises:
        UserError: the required package is not installed.
    """
    with needs_extra("heif", "reading HEIC"):
        from pillow_heif import HeifImageFile
    return HeifImageFile


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


def read_encoded(path: Path) -> bytes:
    """Read the encoded bytes of a picture file.

    Raises:
        UnusableImageError: the file cannot be read; for a missing file the cause is a `FileNotFoundError`.
    """
    try:
        # Checked before opening: a pipe waits for a writer that may never come, a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnusableImageError("not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise UnusableImageError(f"{size} bytes; at most {MAX_BYTES} are read")
            return file.read(size)
    except UnusableImageError:
        raise
    except (OSError, ValueError) as error:  # a ValueError for a name with a null character
        raise UnusableImageError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
