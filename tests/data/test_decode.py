"""What is decoded, how levels and colours come out, and what is refused without being decoded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from textedit_bench.data.decode import UnusableImageError, decode


def _file(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "format_"),
    [("L", "PNG"), ("LA", "PNG"), ("RGBA", "PNG"), ("P", "GIF"), ("P", "PNG"), ("1", "PNG"), ("CMYK", "TIFF")],
)
def test_every_mode_becomes_rgb_of_the_same_colour(mode, format_):
    found = np.asarray(decode(_file(Image.new("RGB", (6, 4), "white").convert(mode), format_)))
    assert found.shape == (4, 6, 3)
    assert (found == 255).all()


def test_cmyk_jpeg_keeps_its_colours():
    found = np.asarray(decode(_file(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)))
    assert found[8, 8, 0] > 240
    assert found[8, 8, 1:].max() < 15


def test_sixteen_bit_levels_are_scaled_not_clipped():
    levels = np.linspace(0, 65_535, 256, dtype=np.uint16).reshape(16, 16)
    found = np.asarray(decode(_file(Image.fromarray(levels))))
    assert np.array_equal(found[..., 0], np.arange(256).reshape(16, 16))


def test_levels_without_an_agreed_range_are_refused():
    with pytest.raises(UnusableImageError, match="floating-point"):
        decode(_file(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"))
    with pytest.raises(UnusableImageError, match="more than 16 bits"):
        decode(_file(Image.fromarray(np.full((4, 4), 1_000_000, np.int32)), "TIFF"))


def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(monkeypatch):
    data = _file(Image.new("L", (100, 50)))
    assert decode(data, max_pixels=5000).size == (100, 50)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UnusableImageError, match=r"100x50 pixels; at most 4999"):
        decode(data, max_pixels=4999)


def test_a_picture_is_turned_as_its_camera_says():
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:2] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    assert (np.asarray(decode(_file(Image.fromarray(pixels), exif=exif)))[2:] == 255).all()


@pytest.mark.parametrize("data", [b"", b"text", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"<svg/>"])
def test_what_is_no_picture_is_refused_and_nothing_is_started_for_it(data):
    with pytest.raises(UnusableImageError):
        decode(data)


@settings(max_examples=150, deadline=None)
@given(
    format_=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]),
    cuts=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    keep=st.floats(0, 1),
)
def test_any_damage_is_decoded_or_refused(format_, cuts, keep):
    data = bytearray(_file(Image.effect_noise((20, 20), 60).convert("RGB"), format_))
    for at, value in cuts:
        data[at % len(data)] = value
    try:
        assert decode(bytes(data[: int(len(data) * keep)]), max_pixels=10_000).mode == "RGB"
    except UnusableImageError as error:
        assert len(str(error).splitlines()) == 1
