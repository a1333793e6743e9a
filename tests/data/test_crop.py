"""The canvas of each kind of crop; the published ones against an independent statement of what was published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from textedit_bench.data.crop import Crop
from textedit_bench.data.decode import UnusableImageError


def _noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 60), height=st.integers(1, 60))
def test_square_is_the_central_square_scaled(width, height):
    pixels = _noise(width, height)
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    part = Image.fromarray(pixels[top : top + side, left : left + side])
    expected = np.asarray(part.resize((16, 16), Image.Resampling.LANCZOS))
    assert np.array_equal(Crop("square", 16)(Image.fromarray(pixels)), expected)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(20, 90), height=st.integers(10, 90))
def test_wide_published_is_what_the_car_network_was_trained_on(width, height):
    """The published preparation at an eighth of its size: width 64, 48 rows of picture."""
    pixels = _noise(width, height)
    rows = round(64 * height / width)
    image, crop = Image.fromarray(pixels), Crop("wide-published", 64, 48)
    if width < 64 or rows < 48:
        with pytest.raises(UnusableImageError, match="too small or too wide"):
            crop(image)
        return
    kept = pixels[max((height - rows) // 2, 0) : (height + rows) // 2]
    expected = np.zeros((64, 64, 3), np.uint8)
    expected[8:56] = np.asarray(Image.fromarray(kept).resize((64, 48), Image.Resampling.LANCZOS))
    assert np.array_equal(crop(image), expected)


def test_the_car_canvas_is_512_with_64_black_rows_above_and_below():
    canvas = Crop("wide-published", 512, 384)(Image.new("RGB", (512, 384), "white"))
    assert canvas.shape == (512, 512, 3)
    assert (canvas[64:448] == 255).all()
    assert (canvas[:64] == 0).all()
    assert (canvas[448:] == 0).all()


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (64, 48)])
def test_wide_keeps_proportions(size):
    """A circle in the middle stays one."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    disc = ((x - width / 2 + 0.5) ** 2 + (y - height / 2 + 0.5) ** 2 < 20**2).astype(np.uint8) * 255
    rows, columns = np.nonzero(Crop("wide", 64, 48)(Image.fromarray(disc).convert("RGB"))[..., 0] > 127)
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 1


def test_none_takes_the_exact_size_or_a_canvas_with_its_bars():
    with pytest.raises(UnusableImageError, match="33x32; expected 32x32"):
        Crop("none", 32)(Image.new("RGB", (33, 32)))
    pixels = _noise(32, 32)
    assert np.array_equal(Crop("none", 32)(Image.fromarray(pixels)), pixels)
    wide = Crop("none", 32, 24)
    assert np.array_equal(wide(Image.fromarray(pixels[4:28]))[4:28], pixels[4:28])
    assert np.array_equal(wide(Image.fromarray(pixels))[4:28], pixels[4:28])


def test_small_pictures_are_refused_where_the_card_says_so():
    assert Crop("square", 32)(Image.new("RGB", (20, 40))).shape == (32, 32, 3)
    with pytest.raises(UnusableImageError, match="20x40; the shorter side needs 32"):
        Crop("square", 32, min_side=32)(Image.new("RGB", (20, 40)))
