"""Envelopes, areas and matched values worked out by hand; intervals that cover; ranks and correlations by oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from textedit_bench.metrics.statistics.jackknife import kendall_of_rows, rank_correlation
from textedit_bench.metrics.statistics.ranks import average_ranks, critical_difference
from textedit_bench.metrics.statistics.tradeoff import compare, envelope


def test_the_envelope_is_the_most_that_is_kept_at_that_effect_or_beyond():
    # The second point does less and keeps less than the third: nobody's choice.
    effect, kept = [0.0, 0.2, 0.5, 1.0], [1.0, 0.6, 0.8, 0.4]
    found = envelope(effect, kept, [0.0, 0.1, 0.2, 0.5, 0.75, 1.0, 1.1])
    np.testing.assert_allclose(found, [1.0, 0.8, 0.8, 0.8, 0.6, 0.4, np.nan])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=7))
def test_an_envelope_never_rises_and_lies_on_or_above_every_point(points):
    effect, kept = np.array(points).T
    grid = np.linspace(0, effect.max(), 33)
    found = envelope(effect, kept, grid)
    assert np.isfinite(found).all() and (np.diff(found) <= 1e-12).all()
    assert (envelope(effect, kept, effect) >= kept - 1e-12).all()


def test_comparison_by_hand():
    # Two straight curves: kept = 1 - effect, and kept = 1 - effect / 2, the second reaching 0.8 only.
    strengths = np.linspace(0, 1, 5)
    effect = np.stack([strengths, 0.8 * strengths])
    kept = np.stack([1 - effect[0], 1 - effect[1] / 2])
    grid = np.broadcast_to(np.stack([effect, kept])[..., None, None], (2, 2, 5, 4, 6))
    found = compare(grid[0], grid[1], draws=50)
    assert found.reference == pytest.approx(0.8)
    np.testing.assert_allclose(found.reach.point, [1.0, 0.8])
    np.testing.assert_allclose(found.matched[0.5].point, [0.6, 0.8])
    np.testing.assert_allclose(found.area.point, [0.6, 0.8])
    np.testing.assert_allclose(found.area.low, found.area.high)  # no scatter between images or prompts


def test_intervals_hold_the_point_and_widen_with_the_scatter():
    rng = np.random.default_rng(0)
    base = np.linspace(0, 1, 5)[None, :, None, None] * np.ones((1, 1, 6, 12))
    widths = []
    for size in (0.02, 0.2):
        kept = 1 - 0.5 * base + size * rng.normal(size=(1, 1, 6, 1))
        found = compare(base, kept, draws=300)
        assert found.area.low[0] <= found.area.point[0] <= found.area.high[0]
        widths.append(found.area.high[0] - found.area.low[0])
    assert widths[1] > 4 * widths[0]
    with pytest.raises(ValueError, match="strengths"):
        compare(np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no value"):
        compare(np.full((1, 2, 2, 2), np.nan), np.ones((1, 2, 2, 2)))


def test_ranks_equal_those_of_scipy():
    values = np.random.default_rng(1).normal(size=(4, 9)).round(1)
    found = average_ranks(values, higher_is_better=True)
    np.testing.assert_allclose(found.average, stats.rankdata(-values, axis=0).mean(1))
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*values).pvalue)
    values[2, 3] = np.nan
    assert average_ranks(values, higher_is_better=False).blocks == 8


def test_critical_difference_is_the_published_one():
    # metrics literature: 6 methods over 80 blocks; Demsar's table gives q = 2.850 for 6 methods.
    assert critical_difference(6, 80) == pytest.approx(2.850 * (6 * 7 / 480) ** 0.5, abs=2e-3)
    assert critical_difference(6, 80) == pytest.approx(0.84, abs=0.005)


def test_cliques_join_neighbours_within_the_critical_difference():
    clear = np.tile(np.arange(4.0)[:, None], 30)
    assert average_ranks(clear, higher_is_better=True).cliques == ()
    tied = np.ones((3, 5))
    found = average_ranks(tied, higher_is_better=True)
    assert found.cliques == ((0, 1, 2),) and found.friedman_p == 1.0
    with pytest.raises(ValueError, match="methods"):
        average_ranks(np.ones((1, 3)), higher_is_better=True)
    with pytest.raises(ValueError, match="block"):
        average_ranks(np.full((2, 3), np.nan), higher_is_better=True)


def test_rank_correlation_equals_scipy_and_its_interval_covers():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 60))
    y = (y + x).round(1)
    images = np.repeat(np.arange(12), 5)
    assert rank_correlation(x, y, images).value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert rank_correlation(x, y, images).tau == pytest.approx(stats.kendalltau(x, y).statistic)
    hits = 0
    for _ in range(150):
        image, noise = rng.normal(size=(2, 24, 1)), rng.normal(size=(2, 24, 5))
        a, b = (image + 0.5 * noise).reshape(2, -1)  # edits of one image move together; the truth is 0
        found = rank_correlation(a, b, np.repeat(np.arange(24), 5))
        hits += found.low <= 0.0 <= found.high
    assert hits / 150 >= 0.89  # ignoring the images, about 0.65


def test_tau_of_many_rankings_equals_scipy():
    a, b = np.random.default_rng(3).normal(size=(2, 20, 6)).round(0)
    expected = [stats.kendalltau(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(kendall_of_rows(a, b), expected, atol=1e-12)
    assert np.isnan(kendall_of_rows(np.ones((1, 4)), a[:1, :4])).all()


def test_correlations_without_variation_are_nan_and_bad_input_is_refused():
    found = rank_correlation([1, 1, 1, 1], [1, 2, 3, 4], [0, 1, 2, 3])
    assert np.isnan([found.value, found.low, found.high, found.tau]).all() and found.n == 4
    with pytest.raises(ValueError, match="length"):
        rank_correlation([1, 2], [1, 2, 3], [0, 1])
    with pytest.raises(ValueError, match="nan"):
        rank_correlation([1, np.nan], [1, 2], [0, 1])
