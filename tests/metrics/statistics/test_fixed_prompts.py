"""Intervals and tests over photos alone, where the prompts are all there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from textedit_bench.metrics.statistics import (
    best_and_tied,
    interval,
    pairwise_tests,
    sign_flip_test,
    two_way_bootstrap,
)
from textedit_bench.metrics.statistics.components import fixed_prompts_spread, spread_of, two_way_spread

Values = NDArray[np.float64]
POOL, PHOTOS = 96, 24


def _census(rng: np.random.Generator, rates: Values, *, photos: int = PHOTOS, pool: int = POOL) -> Values:
    """Successes [prompts, pool] of photos that are more or less easy to edit, on ``photos`` of the pool per prompt."""
    ease = rng.normal(0.0, 1.0, pool)
    # The threshold at which a normal ease plus normal noise gives each prompt its rate exactly.
    limit = stats.norm.ppf(rates)[:, None] * np.sqrt(2.0)
    values = (ease + rng.normal(size=(len(rates), pool)) < limit).astype(float)
    for row in values:
        row[rng.choice(pool, pool - photos, replace=False)] = np.nan
    return values


def _rates(name: str, prompts: int) -> Values:
    # All-or-nothing prompts still succeed and fail now and then: a rate of exactly 1 has no scatter to cover.
    spread = {"alike": (0.7, 0.7), "mixed": (0.1, 0.95), "all or nothing": (0.04, 0.96)}[name]
    if name == "all or nothing":
        return np.where(np.arange(prompts) % 2, *spread)
    return np.linspace(*spread, prompts)


def _coverage(name: str, prompts: int, runs: int) -> float:
    rng, rates, hits = np.random.default_rng(3), _rates(name, prompts), 0
    for run in range(runs):
        low, high = interval(_census(rng, rates), draws=500, seed=run, bounds=(0, 1), fixed_prompts=True)
        hits += low <= rates.mean() <= high
    return hits / runs


@pytest.mark.parametrize("name", ["alike", "all or nothing"])
def test_coverage_in_short(name: str) -> None:
    assert 0.88 <= _coverage(name, 24, 80) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [4, 8, 24, 40])
@pytest.mark.parametrize("name", ["alike", "mixed", "all or nothing"])
def test_coverage(name: str, prompts: int) -> None:
    assert 0.93 <= _coverage(name, prompts, 800) <= 0.99


def test_a_complete_grid_gives_the_standard_error_of_the_images_means() -> None:
    cells = np.random.default_rng(0).normal(size=(7, 24)) + np.arange(7)[:, None]
    spread = fixed_prompts_spread(cells)
    expected = stats.ttest_1samp(cells.mean(0), 0.0)
    assert spread.error == pytest.approx(stats.sem(cells.mean(0)))
    assert spread.mean / spread.error == pytest.approx(expected.statistic)
    assert spread.freedom == expected.df == 23
    low, high = expected.confidence_interval(0.95)
    assert [spread.mean - spread.margin(0.95), spread.mean + spread.margin(0.95)] == pytest.approx([low, high])


def test_images_that_no_two_prompts_share_add_their_variances() -> None:
    rng = np.random.default_rng(1)
    blocks = [rng.normal(i, 1.0 + i, 10) for i in range(3)]
    cells = np.full((3, 30), np.nan)
    for i, block in enumerate(blocks):
        cells[i, 10 * i : 10 * i + 10] = block
    expected = np.sqrt(sum(stats.sem(block) ** 2 for block in blocks)) / 3
    assert fixed_prompts_spread(cells).error == pytest.approx(expected)


@given(st.integers(2, 6), st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_what_prompts_differ_in_does_not_count(prompts: int, images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(prompts, images))
    moved = cells + rng.normal(size=(prompts, 1)) * 100.0
    assert fixed_prompts_spread(moved).error == pytest.approx(fixed_prompts_spread(cells).error, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("cells", [np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([[1.0], [2.0]]), np.array([[5.0]])])
def test_a_prompt_of_one_image_says_nothing_of_others(cells: Values) -> None:
    assert np.isinf(fixed_prompts_spread(cells).error)
    assert sign_flip_test(cells, fixed_prompts=True) == 1.0
    found = two_way_bootstrap(cells, fixed_prompts=True)
    assert np.isinf([found.low[0], found.high[0]]).all()


def test_equal_images_leave_no_doubt_about_these_prompts_and_much_about_others() -> None:
    cells = np.repeat(np.arange(4.0)[:, None], 24, 1)
    assert interval(cells, fixed_prompts=True) == (1.5, 1.5)
    low, high = interval(cells)
    assert low < 0.5 and high > 2.5
    assert sign_flip_test(cells, fixed_prompts=True) <= 1e-3 < sign_flip_test(cells)


@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_p_values_agree_with_students_test(effect: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        cells = rng.normal(effect, 1.0, size=(6, 40)) + rng.normal(size=(6, 1)) * 0.0
        expected = stats.ttest_1samp(cells.mean(0), 0.0).pvalue
        assert sign_flip_test(cells, fixed_prompts=True) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("fixed", [False, True])
def test_a_detectable_difference_is_found_as_often_as_said(fixed: bool) -> None:
    rng, found = np.random.default_rng(8), 0
    prompt_scatter = 0.0 if fixed else 0.5
    size = float(np.mean([spread_of(rng.normal(size=(12, 20)) + prompt_scatter * rng.normal(size=(12, 1)),
                                    fixed_prompts=fixed).detectable() for _ in range(40)]))  # fmt: skip
    for run in range(200):
        cells = size + rng.normal(size=(12, 20)) + prompt_scatter * rng.normal(size=(12, 1))
        found += sign_flip_test(cells, flips=199, seed=run, fixed_prompts=fixed) <= 0.05
    assert 0.82 <= found / 200 <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [4, 8, 24, 40])
def test_equal_methods_are_told_apart_no_more_often_than_said(prompts: int) -> None:
    # Each is better on half of the prompts by as much as the other on the rest.
    rng, runs = np.random.default_rng(11), 1000
    step = np.where(np.arange(prompts) % 2, 1.0, -1.0)[:, None]
    wrong = 0
    for run in range(runs):
        cells = _census(rng, np.full(prompts, 0.5)) - 0.5 + step
        wrong += sign_flip_test(cells, flips=499, seed=run, fixed_prompts=True) <= 0.05
    assert wrong / runs <= 0.07


def test_fixed_prompts_decide_what_random_ones_leave_open() -> None:
    rng = np.random.default_rng(2)
    easy = np.repeat([0.2, 0.9, 0.5, 1.0, 0.4, 0.8, 0.3, 1.0], 24).reshape(8, 24)
    better = easy + np.repeat([0.5, -0.2, 0.4, 0.0, 0.3, -0.1, 0.4, 0.0], 24).reshape(8, 24)
    values = np.stack([easy, better]) + 0.1 * rng.normal(size=(2, 8, 24))
    assert best_and_tied(values, higher_is_better=True) == [True, True]
    assert best_and_tied(values, higher_is_better=True, fixed_prompts=True) == [False, True]
    (_, fixed), (_, random) = (pairwise_tests(values, fixed_prompts=fixed) for fixed in (True, False))
    assert fixed[0, 1] < 0.01 < random[0, 1]


def test_one_of_the_two_is_asked_for() -> None:
    cells = np.random.default_rng(3).normal(size=(4, 12))
    assert two_way_bootstrap(cells).spreads[0] == two_way_spread(cells)
    assert two_way_bootstrap(cells, fixed_prompts=True).spreads[0] == fixed_prompts_spread(cells)
