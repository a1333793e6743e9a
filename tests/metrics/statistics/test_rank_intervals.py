"""Intervals of average ranks: explicit resampling, coverage by simulation, and the ends of the scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from textedit_bench.metrics.statistics.ranks import _means, _ranks, average_ranks, rank_intervals


def grid(rng: np.random.Generator, prompts: int = 8, images: int = 24) -> np.ndarray:
    """Four methods that lie close together, with effects of prompts on methods, of images, and noise."""
    means = np.array([0.0, 0.1, 0.3, 0.6])[:, None, None]
    by_prompt = 0.4 * rng.normal(size=(4, prompts, 1))
    return means + by_prompt + rng.normal(size=(1, 1, images)) + rng.normal(size=(4, prompts, images))


def expected_ranks(rng: np.random.Generator, times: int = 2000) -> np.ndarray:
    return np.mean([stats.rankdata(-grid(rng).mean(2), axis=0).mean(1) for _ in range(times)], axis=0)


def coverage(times: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    truth, hits = expected_ranks(rng), 0.0
    for i in range(times):
        low, high = rank_intervals([grid(rng)], higher_is_better=True, draws=300, seed=i)
        hits += np.mean((low <= truth) & (truth <= high))
    return hits / times


def test_the_95_percent_interval_covers_in_short():
    assert 0.90 <= coverage(60, 0) <= 1.0


@pytest.mark.slow
def test_the_95_percent_interval_covers_92_to_98_percent():
    assert 0.92 <= coverage(600, 1) <= 0.98


def test_means_and_ranks_are_those_of_explicit_copies():
    rng = np.random.default_rng(2)
    cells = grid(rng, 3, 6).round(1)
    cells[:, 1, 2] = np.nan
    counts = rng.multinomial(6, np.full(6, 1 / 6), 20).astype(float)
    means = _means(cells, counts)
    for draw, row in zip(means, counts, strict=True):
        copies = np.repeat(cells, row.astype(int), axis=2)
        np.testing.assert_allclose(draw, np.nanmean(copies, axis=2).T)
    np.testing.assert_array_equal(_ranks(means), stats.rankdata(means, axis=-1))


def test_intervals_hold_the_measured_rank_and_pair_the_methods():
    rng = np.random.default_rng(3)
    cells = [grid(rng), grid(rng, 5, 10)]
    point = average_ranks(np.concatenate([c.mean(2) for c in cells], 1), higher_is_better=True).average
    low, high = rank_intervals(cells, higher_is_better=True)
    assert ((low <= point) & (point <= high)).all() and (low >= 1).all() and (high <= 4).all()
    worse = rank_intervals([-c for c in cells], higher_is_better=False)
    np.testing.assert_array_equal(worse, (low, high))
    again = rank_intervals([c[::-1] for c in cells], higher_is_better=True)
    np.testing.assert_allclose(again, (low[::-1], high[::-1]))
    shift = rng.normal(size=(1, 8, 24)) * 100  # the same for every method: ranks do not see it
    np.testing.assert_allclose(rank_intervals([cells[0] + shift], higher_is_better=True),
                               rank_intervals([cells[0]], higher_is_better=True))  # fmt: skip


def test_an_order_that_never_changes_is_a_point_and_one_prompt_says_nothing():
    clear = np.tile(np.arange(3.0)[:, None, None], (1, 6, 4))
    np.testing.assert_array_equal(rank_intervals([clear], higher_is_better=True), ([3, 2, 1], [3, 2, 1]))
    np.testing.assert_array_equal(rank_intervals([clear[:, :1]], higher_is_better=True), ([1, 1, 1], [3, 3, 3]))
    tied = np.full((2, 4, 4), 0.1)
    np.testing.assert_array_equal(rank_intervals([tied], higher_is_better=True), ([1.5, 1.5], [1.5, 1.5]))


def test_cells_that_one_method_lacks_count_for_none():
    cells = grid(np.random.default_rng(4))
    cells[0, :, :4] = np.nan
    left_out = rank_intervals([cells[:, :, 4:]], higher_is_better=True, draws=4000)
    found = rank_intervals([cells], higher_is_better=True, draws=4000)
    np.testing.assert_allclose(found, left_out, atol=0.3)  # drawing 24 of which 20 count, or 20


def test_wrong_input_is_one_clear_error():
    for wrong in ([], [np.ones((1, 3, 3))], [np.ones((2, 3))], [np.ones((2, 3, 3)), np.ones((3, 3, 3))]):
        with pytest.raises(ValueError, match="methods"):
            rank_intervals(wrong, higher_is_better=True)
    with pytest.raises(ValueError, match="no cell"):
        rank_intervals([np.full((2, 2, 2), np.nan)], higher_is_better=True)
