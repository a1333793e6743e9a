"""Labelled strips and contact sheets show every picture, in order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textedit_bench.data.pixels import to_uint8
from textedit_bench.report.sheet import draw_contact_sheet, draw_row


def _shades(n):
    return torch.linspace(-0.9, 0.8, n).view(n, 1, 1, 1).expand(-1, 3, 4, 4)


def _places(sheet, images):
    """Centre of each picture on the sheet, found by its shade."""
    pixels = np.asarray(sheet)
    levels = [round((float(image[0, 0, 0]) + 1) * 127.5) for image in images]
    return [np.median(np.argwhere((pixels == level).all(-1)), axis=0) for level in levels]


def test_a_strip_is_one_row_from_left_to_right():
    images = _shades(3)
    places = _places(draw_row("A title", "photo.png", ["photo", "inversion", "strength 1"], images), images)
    rows, columns = zip(*places, strict=True)
    assert max(rows) - min(rows) < 1 and list(columns) == sorted(columns)
    assert columns[1] - columns[0] > 100


@pytest.mark.parametrize("n", [1, 4, 5, 8])
def test_a_contact_sheet_fills_rows_of_four(n):
    images = _shades(n)
    places = _places(draw_contact_sheet("A title", to_uint8(images)), images)
    for i, (row, column) in enumerate(places):
        assert row == pytest.approx(places[i - i % 4][0], abs=1)
        assert column == pytest.approx(places[i % 4][1], abs=1)
    if n > 4:
        assert places[4][0] - places[0][0] > 100


def test_values_outside_the_range_are_clipped():
    above, white = torch.full((1, 3, 4, 4), 3.0), torch.full((1, 3, 4, 4), 1.0)
    below, black = torch.full((1, 3, 4, 4), -3.0), torch.full((1, 3, 4, 4), -1.0)
    drawn = [np.asarray(draw_row("t", "n", ["a"], images)) for images in (above, white, below, black)]
    assert np.array_equal(drawn[0], drawn[1]) and np.array_equal(drawn[2], drawn[3])
    assert not np.array_equal(drawn[0], drawn[2])
