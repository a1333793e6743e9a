"""Methods look the same everywhere and can be told apart, however many there are; labels stay apart and in order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.report.figures.canvas import COLOURS, PALETTE, looks_of, method_looks, spread


@given(count=st.integers(1, 50))
def test_no_two_methods_look_alike(count):
    looks = method_looks([f"m{i}" for i in range(count)])
    assert len(set(looks.values())) == count


def test_a_method_keeps_its_look_where_it_is_one_of_few(stored, collected):
    cells = {name: stored(name, "p", {"lpips": [0.1] * 8}) for name in ("a", "b", "c")}
    part = collected(list(cells.values()))
    looks = looks_of([part])
    assert list(looks) == ["A", "B", "C"] and looks_of([collected([cells["b"]]), part]) == looks


def test_colours_have_a_name_each_and_can_be_read_on_both_grounds():
    assert len(set(COLOURS.values())) == len(COLOURS)  # the page finds a colour's name by its value
    for name in ("ink", "soft", "good", "bad", *(name for name in PALETTE if name[1:].isdigit())):
        for shade, ground in zip(PALETTE[name], PALETTE["card"], strict=True):
            assert _contrast(shade, ground) >= (3.0 if name == "bad" else 4.5), name


def _contrast(first: str, second: str) -> float:
    """Ratio of the WCAG."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@given(wanted=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_labels_stay_apart_inside_and_in_their_order(wanted):
    found = spread(wanted, 0.05, 0.0, 1.0)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in found)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    assert all(found[b] - found[a] >= 0.05 - 1e-9 for a, b in pairwise(order))


def test_labels_that_have_room_stay_where_they_want_to_be():
    assert spread([0.9, 0.1, 0.5], 0.05, 0.0, 1.0) == pytest.approx([0.9, 0.1, 0.5])
