"""Sign-flip tests keep their level, see real differences, and Holm's correction is Holm's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.metrics.statistics import best_and_tied, holm, pairwise_tests, sign_flip_test


def _effects(rng: np.random.Generator, prompt: float, image: float, noise: float) -> np.ndarray:
    return prompt * rng.normal(size=(8, 1)) + image * rng.normal(size=(1, 24)) + noise * rng.normal(size=(8, 24))


@pytest.mark.slow
@pytest.mark.parametrize("effects", [(1, 0, 0.1), (0, 1, 0.1), (0, 0, 1), (1, 1, 1), (0.3, 0.3, 1)])
def test_equal_methods_are_called_different_in_at_most_their_share(effects: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(0)
    p = np.array([sign_flip_test(_effects(rng, *effects), flips=499, seed=run) for run in range(1000)])
    assert (p <= 0.05).mean() <= 0.065
    assert (p <= 0.01).mean() <= 0.02


def test_level_in_short() -> None:
    rng = np.random.default_rng(0)
    p = np.array([sign_flip_test(_effects(rng, 1, 0, 0.1), flips=199, seed=run) for run in range(100)])
    # Flipping images alone would call 80 % of these different: it never sees the prompts' scatter.
    assert (p <= 0.05).mean() <= 0.10


def test_one_prompt_equals_the_exact_enumeration() -> None:
    values = np.random.default_rng(1).normal(0.4, 1, size=(1, 9))
    means = [abs((np.array(signs) * values[0]).mean()) for signs in itertools.product((-1, 1), repeat=9)]
    exact = np.mean(np.array(means) >= abs(values.mean()) - 1e-12)
    assert sign_flip_test(values, flips=40_000) == pytest.approx(exact, abs=0.01)
    assert sign_flip_test(values.T, flips=40_000) == pytest.approx(exact, abs=0.01)


def test_a_clear_difference_reaches_the_floor_with_eight_prompts() -> None:
    rng = np.random.default_rng(2)
    assert sign_flip_test(1.0 + _effects(rng, 0.1, 0.1, 0.3), flips=999) <= 0.002


def test_nothing_to_test_is_p_one() -> None:
    for values in ([[np.nan]], [[2.0]], np.zeros((8, 24)), np.full((2, 2), np.nan)):
        assert sign_flip_test(values) == 1.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), missing=st.floats(0, 0.5))
def test_p_is_the_same_for_both_directions(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    values = _effects(rng, 1, 1, 1)
    values[rng.random(values.shape) < missing] = np.nan
    p = sign_flip_test(values, flips=200, seed=seed)
    assert 1 / 201 <= p <= 1
    assert sign_flip_test(-values, flips=200, seed=seed) == p


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1.0, 1.0])
    assert len(holm([])) == 0
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([1.5])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_order_and_never_lowers(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= np.array(p)).all() and (adjusted <= 1).all()
    assert (adjusted <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_best_and_tied_bolds_the_best_and_its_equals() -> None:
    rng = np.random.default_rng(3)
    base = _effects(rng, 1, 1, 0.2)
    near = base + 0.1 * rng.normal(size=base.shape)
    worse = base - 1.0 + 0.1 * rng.normal(size=base.shape)
    empty = np.full(base.shape, np.nan)
    values = np.stack([worse, base, near, empty])
    assert best_and_tied(values, higher_is_better=True, flips=999) == [False, True, True, False]
    assert best_and_tied(values, higher_is_better=False, flips=999) == [True, False, False, False]


def test_best_and_tied_on_odd_input() -> None:
    assert best_and_tied(np.full((2, 3, 3), np.nan), higher_is_better=True) == [False, False]
    assert best_and_tied([[[1.0]], [[2.0]]], higher_is_better=True) == [True, True]
    apart = np.full((2, 2, 4), np.nan)
    apart[0, 0], apart[1, 1] = 1.0, 2.0
    assert best_and_tied(apart, higher_is_better=True) == [True, True]


def test_pairwise_tests_are_antisymmetric_and_adjusted_over_all_pairs() -> None:
    rng = np.random.default_rng(4)
    base = _effects(rng, 1, 1, 0.2)
    values = np.stack([base, base + 0.1 * rng.normal(size=base.shape), base - 1 + 0.1 * rng.normal(size=base.shape)])
    difference, p = pairwise_tests(values, flips=999)
    np.testing.assert_allclose(difference, -difference.T)
    np.testing.assert_allclose(p, p.T)
    assert p[0, 2] < 0.05 and p[1, 2] < 0.05 and p[0, 1] > 0.05
    assert p[0, 2] == pytest.approx(3 * sign_flip_test(values[0] - values[2], flips=999))
