"""Cards say which values their settings may have."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo
from textedit_bench.ranges import POSITIVE, UNIT_INTERVAL, NumberRange
from textedit_bench.registry import list_methods

CARD = MethodInfo(
    name="m", title="M", paper="", arxiv="", editor="m:M", space="w+", trains="none",
    settings={"share": 0.5, "kind": "a", "count": 3},
    training={"rate": 0.1},
    valid={"share": UNIT_INTERVAL, "kind": ("a", "b"), "count": NumberRange(2), "rate": POSITIVE},
)  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"share": 1.5}, "setting share of m: 1.5 is out of range; valid: 0 to 1"),
        ({"share": math.nan}, "setting share of m: nan is out of range; valid: 0 to 1"),
        ({"count": 1}, "setting count of m: 1 is out of range; valid: whole numbers from 2"),
        ({"rate": 0.0}, "setting rate of m: 0.0 is out of range; valid: above 0"),
        ({"kind": "c"}, "unknown setting kind of m 'c'. Valid: a, b"),
    ],
)
def test_a_value_that_is_not_valid_is_named_with_what_is(given_, message):
    with pytest.raises(UserError) as caught:
        CARD.check_settings(given_, training=True)
    assert str(caught.value) == message


def test_valid_values_pass():
    CARD.check_settings({"share": 0.0, "kind": "b", "count": 2, "rate": 1e-9}, training=True)
    CARD.check_settings({"share": 1}, training=True)


@given(low=st.floats(-1e6, 1e6), width=st.floats(0, 1e6), value=st.floats(allow_nan=False), above=st.booleans())
def test_numbers_are_those_between_the_ends(low, width, value, above):
    numbers = NumberRange(low, low + width, above)
    assert (value in numbers) == (low <= value <= low + width and not (above and value == low))


def test_a_card_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="unknown settings: shar"):
        replace(CARD, valid={"shar": UNIT_INTERVAL})
    with pytest.raises(ValueError, match=r"share of m: 2\.0"):
        replace(CARD, settings={**CARD.settings, "share": 2.0})
    with pytest.raises(ValueError, match="count of m: 0"):
        replace(CARD, tier_settings={"mini": {"count": 0}})


def test_every_card_lists_its_valid_values_as_json():
    for info in list_methods():
        listed = json.loads(json.dumps(info.to_json(), allow_nan=False))
        assert set(listed["valid"]) == set(info.valid)
    assert CARD.to_json()["valid"] == {
        "share": "0 to 1", "kind": ["a", "b"], "count": "whole numbers from 2", "rate": "above 0",
    }  # fmt: skip
