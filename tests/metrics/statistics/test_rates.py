"""Intervals of rates close to 0 and 1, where cells agree and resampling alone sees no scatter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from textedit_bench.metrics.statistics import interval
from textedit_bench.metrics.statistics.bootstrap import SEEN, clopper_pearson

PROMPTS, IMAGES = 8, 24
EFFECTS = {"noise": (0.0, 0.0), "images": (0.0, 1.0), "prompts": (1.0, 0.0), "both": (1.0, 1.0)}


def _offset(rate: float, effects: tuple[float, float]) -> float:
    """The logit at which random effects of these deviations leave this rate on average (Gauss-Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    deviation = np.hypot(*effects)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (weights / (1 + np.exp(-middle - deviation * nodes))).sum() / weights.sum()
        low, high = (middle, high) if mean < rate else (low, middle)
    return low


def _coverage(rate: float, effects: tuple[float, float], runs: int) -> float:
    rng = np.random.default_rng(7)
    start, hits = _offset(rate, effects), 0
    for run in range(runs):
        logit = start + effects[0] * rng.normal(size=(PROMPTS, 1)) + effects[1] * rng.normal(size=(1, IMAGES))
        values = (rng.random((PROMPTS, IMAGES)) < 1 / (1 + np.exp(-logit))).astype(float)
        low, high = interval(values, draws=100, seed=run, bounds=(0, 1))
        hits += low <= rate <= high
    return hits / runs


@pytest.mark.parametrize("rate", [0.01, 0.99])
def test_small_and_large_rates_are_covered_in_short(rate: float) -> None:
    # The bare draws reach 72 and 78 % here: in every fourth of these grids all cells agree.
    assert _coverage(rate, EFFECTS["both"], 60) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS.keys())
@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.95, 0.98, 0.995])
def test_small_and_large_rates_are_covered(rate: float, effects: tuple[float, float]) -> None:
    assert _coverage(rate, effects, 300) >= 0.95


def _all_or_nothing(prompts: int, rate: float, runs: int) -> float:
    """Coverage where each prompt succeeds on all photos or on none."""
    rng, hits = np.random.default_rng(9), 0
    for run in range(runs):
        values = np.repeat((rng.random((prompts, 1)) < rate).astype(float), IMAGES, axis=1)
        low, high = interval(values, draws=100, seed=run, bounds=(0, 1))
        hits += low <= rate <= high
    return hits / runs


def test_prompts_that_succeed_or_fail_as_a_whole_are_covered_in_short() -> None:
    assert _all_or_nothing(4, 0.8, 80) >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [4, 8, 24, 40])
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_prompts_that_succeed_or_fail_as_a_whole_are_covered(prompts: int, rate: float) -> None:
    assert _all_or_nothing(prompts, rate, 400) >= 0.93


def test_cells_that_all_agree_count_one_trial_per_independent_draw() -> None:
    low, high = interval(np.zeros((PROMPTS, IMAGES)), bounds=(0, 1))
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / PROMPTS))
    # Fixed prompts are no draws, and neither is a single one.
    for cells, fixed in ((np.zeros((PROMPTS, IMAGES)), True), (np.zeros((1, IMAGES)), False)):
        found = interval(cells, bounds=(0, 1), fixed_prompts=fixed)
        assert found == pytest.approx((0.0, 1 - 0.025 ** (1 / IMAGES)))
    assert interval(np.ones((PROMPTS, IMAGES)), bounds=(0, 1)) == pytest.approx((1 - high, 1.0))
    # A range of another width: the same shares.
    assert interval(np.full((PROMPTS, IMAGES), -1.0), bounds=(-1, 1)) == pytest.approx((-1.0, 2 * high - 1))
    low, high = interval(np.full((PROMPTS, IMAGES), 0.25), bounds=(0, 1))
    expected = stats.binomtest(2, PROMPTS).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_images_without_a_value_do_not_count() -> None:
    values = np.zeros((PROMPTS, IMAGES))
    values[:, 5:] = np.nan
    assert interval(values, bounds=(0, 1))[1] == pytest.approx(1 - 0.025 ** (1 / 5))


def test_the_end_moves_without_leaps_as_cells_depart() -> None:
    ends = []
    for departing in range(2 * SEEN):
        values = np.zeros(PROMPTS * IMAGES)
        values[np.random.default_rng(departing).permutation(values.size)[:departing]] = 1.0
        ends.append(interval(values.reshape(PROMPTS, IMAGES), bounds=(0, 1))[1])
    assert np.abs(np.diff(ends)).max() < 0.05
    assert min(ends) > 0.05


def test_values_that_scatter_keep_their_interval() -> None:
    values = np.random.default_rng(0).uniform(0.9, 1.0, (PROMPTS, IMAGES))
    assert interval(values, bounds=(0, 1)) == interval(values)


def test_without_a_finite_range_nothing_is_claimed_and_one_cell_says_nothing() -> None:
    assert interval(np.zeros((PROMPTS, IMAGES)), bounds=(0, np.inf)) == (0.0, 0.0)
    for only in (0.0, 1.0):
        assert interval([[only]], bounds=(0, 1)) == (0.0, 1.0)


def test_fractional_counts_continue_the_exact_interval() -> None:
    for successes in (0, 3, 10):
        exact = stats.binomtest(successes, 10).proportion_ci(method="exact")
        assert clopper_pearson(successes, 10, 0.95) == pytest.approx((exact.low, exact.high))
    assert clopper_pearson(3, 10, 0.95) < clopper_pearson(3.2, 10, 0.95) < clopper_pearson(4, 10, 0.95)
