"""Pictures of phones: more pixels than are decoded, and HEIC, are read where that is cheap, else told what to do."""

from __future__ import annotations

import io
import sys
import types

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from textedit_bench.data.decode import UnusableImageError, decode_picture

HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + b"\0" * 40


def _encoded(width: int, height: int, form: str, **options) -> bytes:
    """A gradient, dark to the left and light to the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.broadcast_to(row, (height, width)).copy()).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("most", "factor"), [(8000, 1), (7999, 2), (2000, 2), (1999, 4), (500, 4), (499, 8), (130, 8)])
def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(most, factor):
    decoded = decode_picture(_encoded(100, 80, "JPEG"), max_pixels=most)
    assert decoded.image.size == (-(-100 // factor), -(-80 // factor))
    assert decoded.changes == (
        () if factor == 1 else (f"decoded at 1/{factor} of its size, since it has more than {most} pixels",)
    )
    levels = np.asarray(decoded.image)
    assert levels[:, 0].mean() < 40 and levels[:, -1].mean() > 215


def test_it_is_turned_upright_all_the_same():
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_picture(_encoded(100, 80, "JPEG", exif=exif), max_pixels=2000)
    assert decoded.image.size == (40, 50) and len(decoded.changes) == 2


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM"])
def test_other_large_pictures_are_refused_with_what_to_do(form):
    with pytest.raises(
        UnusableImageError, match=r"100x80 pixels; at most 7999 are decoded: save it smaller, or as JPEG"
    ):
        decode_picture(_encoded(100, 80, form), max_pixels=7999)


def test_a_jpeg_that_is_too_large_at_an_eighth_is_refused():
    with pytest.raises(UnusableImageError, match="100x80 pixels"):
        decode_picture(_encoded(100, 80, "JPEG"), max_pixels=129)


def test_two_hundred_million_pixels_of_a_phone_are_read(monkeypatch):
    """Pillow's own limit lies between ours and twice that of its bomb."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert decode_picture(_encoded(100, 80, "JPEG"), max_pixels=2000).image.size == (50, 40)
    with pytest.raises(UnusableImageError, match="too large to be decoded"):
        decode_picture(_encoded(100, 80, "PNG"), max_pixels=2000)


def test_heic_names_the_extra_where_its_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnusableImageError) as caught:
        decode_picture(HEIC)
    told = str(caught.value)
    assert told.startswith("HEIC; save it as PNG or JPEG") and told.endswith("pip install 'textedit-bench[heif]'")


def test_heic_is_read_by_its_package_within_the_same_limits(monkeypatch):
    """The package stands for itself here by what it offers: a file of Pillow's kind."""
    package = types.ModuleType("pillow_heif")
    package.HeifImageFile = lambda file: PngImagePlugin.PngImageFile(io.BytesIO(_encoded(100, 80, "PNG")))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    assert decode_picture(HEIC).image.size == (100, 80)
    with pytest.raises(UnusableImageError, match="at most 7999 are decoded"):
        decode_picture(HEIC, max_pixels=7999)
