"""PNG files hold every pixel, and take less time than Pillow's."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from textedit_bench.data.pixels import encode_png


@settings(max_examples=60, deadline=None)
@given(
    picture=array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
        lambda shape: arrays(np.uint8, (*shape, 3), elements=st.sampled_from([0, 1, 127, 128, 254, 255]))
    ),
    turned=st.booleans(),
)
def test_what_is_read_back_is_what_was_written(picture: np.ndarray, turned: bool) -> None:
    if turned:
        picture = picture[::-1, ::-1]  # not contiguous
    with Image.open(io.BytesIO(encode_png(picture))) as opened:
        opened.load()
        assert opened.mode == "RGB" and opened.info.get("gamma") is None
        np.testing.assert_array_equal(np.asarray(opened), picture)


def test_the_file_is_not_larger_than_pillows_of_a_picture_with_grain() -> None:
    draw = np.random.default_rng(0)
    ramp = np.add.outer(np.linspace(0, 120, 256), np.linspace(0, 90, 256))[..., None] + np.array([10, 20, 30])
    picture = (ramp + draw.normal(0, 3, ramp.shape)).round().astype(np.uint8)
    theirs = io.BytesIO()
    Image.fromarray(picture).save(theirs, "PNG", compress_level=1)
    assert len(encode_png(picture)) <= len(theirs.getvalue())


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_8_bit_rgb_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"8-bit pixels \[H, W, 3\]"):
        encode_png(wrong)
