"""Bradley-Terry strengths against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.metrics.statistics.choices import RIDGE, choice_strengths


def test_two_options_differ_by_the_logarithm_of_the_odds():
    chosen = np.array([0] * 3000 + [1] * 1000)
    found = choice_strengths(np.tile([0, 1], (4000, 1)), chosen, np.arange(4000) % 50, np.arange(4000))
    assert found.value[0] - found.value[1] == pytest.approx(np.log(3.0), abs=1e-3)
    assert found.value.sum() == pytest.approx(0.0, abs=1e-9)


def test_the_interval_of_independent_answers_is_that_of_the_log_odds():
    """Half of the difference of two strengths is their distance from the mean; its error is that of the log odds."""
    n, wins = 2000, 1300
    found = choice_strengths(np.tile([0, 1], (n, 1)), [0] * wins + [1] * (n - wins), np.arange(n), np.arange(n))
    error = np.sqrt(1 / wins + 1 / (n - wins)) / 2
    assert found.high[0] - found.value[0] == pytest.approx(1.96 * error, rel=0.01)


def test_answers_of_one_mind_widen_the_interval():
    options, raters, asked = np.tile([0, 1], (400, 1)), np.repeat(np.arange(10), 40), np.tile(np.arange(40), 10)
    minds = np.repeat([0, 1, 0, 0, 1, 0, 1, 0, 0, 1], 40)
    mixed = np.random.default_rng(0).permutation(minds)
    wide, narrow = (choice_strengths(options, chosen, raters, asked) for chosen in (minds, mixed))
    assert wide.high[0] - wide.low[0] > 3 * (narrow.high[0] - narrow.low[0])


@given(st.data(), st.integers(2, 4), st.integers(2, 5))
def test_the_strengths_are_where_expected_and_observed_choices_agree(data, k, extra):
    """The condition of the maximum, computed without the code under test."""
    methods, n = k + extra - 2, 12
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    options = np.array([rng.permutation(methods)[:k] for _ in range(n)])
    chosen = rng.integers(0, k, n)
    value = choice_strengths(options, chosen, np.arange(n) % 3, np.arange(n) % 4).value
    gained = np.zeros(len(value))
    for row, pick in zip(options, chosen, strict=True):
        odds = np.exp(value[row])
        gained[row] -= odds / odds.sum()
        gained[row[pick]] += 1.0
    assert gained == pytest.approx(RIDGE * value, abs=1e-5)


def test_an_option_that_always_wins_stays_finite_and_one_rater_has_no_interval():
    found = choice_strengths([[0, 1]] * 5, [0] * 5, ["a"] * 5, list("vwxyz"))
    assert 0.0 < found.value[0] < 10.0 and np.isnan(found.low).all()


@pytest.mark.parametrize("options", [[[0]], [0, 1], np.zeros((0, 2))])
def test_no_choice_is_refused(options):
    with pytest.raises(ValueError, match="choices among two or more"):
        choice_strengths(options, [0], [0], [0])
