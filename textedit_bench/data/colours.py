"""Convert an opened picture to 8-bit sRGB: depth, palette, CMYK, colour profile and transparency, in this order."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import numpy as np
from PIL import Image, ImageCms


class UnusableImageError(ValueError):
    """An image that is skipped; the message is the reason."""


BACKGROUND = (255, 255, 255)
"""Background of transparent areas: white, as in a browser."""
ROUNDED = "levels of 16 bits rounded to 8"
CMYK = "CMYK turned to RGB without a colour profile"
PROFILE = "colours turned to sRGB, as its colour profile says"
NO_PROFILE = "its colour profile, which cannot be used, left aside"
COMPOSITED = "laid over white where it is transparent"
CLOSE = 2
"""Levels by which a profile may differ from sRGB and still count as sRGB: profiles of cameras and editors differ by
rounding, and pixels of an sRGB picture must not change."""
_STEPS = range(0, 256, 15)


def to_srgb(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Convert a loaded picture of any mode to RGB, and describe the changes.

    Raises:
        UnusableImageError: values without a defined range.
    """
    profile = image.info.get("icc_profile")
    image, alpha, changes = _eight_bits(image)
    image, turned = _turned(image, profile)
    changes += turned
    if alpha is not None and alpha.getextrema() != (255, 255):
        changes.append(COMPOSITED)
        image = Image.composite(image, Image.new("RGB", image.size, BACKGROUND), alpha)
    return image, changes


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None, list[str]]:
    """Return colour channels (L, RGB, CMYK or LAB), opacity, and whether levels were rounded."""
    if image.mode == "F":
        raise UnusableImageError("floating-point levels, whose range no file states")
    if image.mode.startswith("I"):  # Pillow's own conversion clips 16-bit levels at 255
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise UnusableImageError("levels of more than 16 bits")
        clear = image.info.get("transparency")
        alpha = None if clear is None else Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))
        return Image.fromarray(np.rint(levels.astype(np.float64) / 257.0).astype(np.uint8)), alpha, [ROUNDED]
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        colour = whole.convert("RGB")  # the colours of transparent pixels
        grey = image.mode in ("L", "LA", "La")
        return colour.convert("L") if grey else colour, whole.getchannel("A"), []
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image, None, []
    return image.convert("L" if image.mode == "1" else "RGB"), None, []


def _turned(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, list[str]]:
    """Convert colour channels to sRGB."""
    try:
        transform = _transform(image.mode, profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _without_profile(image, [NO_PROFILE])
    if transform is None:
        return _without_profile(image, [])
    if image.mode in ("L", "RGB") and _is_srgb(image.mode, transform):
        return image.convert("RGB"), []
    return _applied(image, transform), [PROFILE] if profile else []


def _transform(mode: str, profile: bytes | None) -> Any:
    """Return the transform from the profile's colours to sRGB; None if there is no profile or none is needed."""
    if mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif not profile:
        return None
    else:
        source = ImageCms.getOpenProfile(io.BytesIO(profile)).profile
        if mode == "L" and source.xcolor_space.strip() == "RGB":  # a grey picture that kept its colour profile
            mode = "RGB"
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


def _is_srgb(mode: str, transform: Any) -> bool:
    colours = np.array(list(product(_STEPS, repeat=3)), np.uint8)[None]
    probe = Image.fromarray(colours if mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
    change = np.asarray(_applied(probe, transform), np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return bool(np.abs(change).max() <= CLOSE)


def _applied(image: Image.Image, transform: Any) -> Image.Image:
    fitting = image if image.mode == transform.inputMode else image.convert(transform.inputMode)
    turned: Image.Image | None = ImageCms.applyTransform(fitting, transform)
    assert turned is not None  # it is None if a picture is changed in place
    return turned


def _without_profile(image: Image.Image, changes: list[str]) -> tuple[Image.Image, list[str]]:
    return image.convert("RGB"), [*changes, CMYK] if image.mode == "CMYK" else changes
