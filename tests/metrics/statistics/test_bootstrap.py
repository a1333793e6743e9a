"""Intervals cover what they promise, are paired and seeded, and are defined on every grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from textedit_bench.metrics.statistics import interval, two_way_bootstrap, two_way_spread
from textedit_bench.metrics.statistics.bootstrap import _resample

PROMPTS, IMAGES = 8, 24
EFFECTS = {
    "prompts": (1.0, 0.0, 0.1),
    "images": (0.0, 1.0, 0.1),
    "noise": (0.0, 0.0, 1.0),
    "all alike": (1.0, 1.0, 1.0),
    "mostly noise": (0.3, 0.3, 1.0),
}


def _crossed(rng: np.random.Generator, effects: tuple[float, float, float]) -> np.ndarray:
    prompt, image, noise = effects
    return (
        prompt * rng.normal(size=(PROMPTS, 1))
        + image * rng.normal(size=(1, IMAGES))
        + noise * rng.normal(size=(PROMPTS, IMAGES))
    )


def _coverage(effects: tuple[float, float, float], runs: int, missing: float = 0.0) -> float:
    rng = np.random.default_rng(1)
    hits = 0
    for run in range(runs):
        values = _crossed(rng, effects)
        values[rng.random(values.shape) < missing] = np.nan
        low, high = interval(values, draws=200, seed=run)
        hits += low <= 0.0 <= high
    return hits / runs


@pytest.mark.slow
@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS.keys())
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_95_percent_interval_covers_92_to_98_percent(effects: tuple[float, float, float], missing: float) -> None:
    assert 0.92 <= _coverage(effects, 1200, missing) <= 0.98


def test_coverage_in_short() -> None:
    # 120 runs of prompts alone, the case bare draws are too narrow for; three standard deviations below 95 %.
    assert 0.89 <= _coverage(EFFECTS["prompts"], 120) < 1.0


def test_widths_are_those_of_the_variance_components() -> None:
    # Where one source of scatter rules, the interval is Student's over that source alone; bare draws of 8 prompts are
    # 22 % narrower, and bare draws of noise 70 % wider.
    rng = np.random.default_rng(0)
    for effects, axis in ((EFFECTS["prompts"], 1), (EFFECTS["images"], 0)):
        values = _crossed(rng, effects)
        low, high = interval(values, draws=10_000)
        means = values.mean(axis)
        width = 2 * stats.sem(means) * stats.t.ppf(0.975, len(means) - 1)
        assert high - low == pytest.approx(width, rel=0.08)
    widths = [np.diff(interval(_crossed(rng, EFFECTS["noise"]), draws=400))[0] for _ in range(20)]
    assert np.mean(widths) == pytest.approx(2 * 1.97 / (PROMPTS * IMAGES) ** 0.5, rel=0.25)


@pytest.mark.slow
def test_a_rate_with_prompt_and_image_effects_is_covered() -> None:
    rng = np.random.default_rng(2)
    logit = 1.5 + rng.normal(size=200_000) + rng.normal(size=200_000)
    truth = (1 / (1 + np.exp(-logit))).mean()
    hits = 0
    for run in range(1200):
        logit = 1.5 + rng.normal(size=(PROMPTS, 1)) + rng.normal(size=(1, IMAGES))
        values = (rng.random((PROMPTS, IMAGES)) < 1 / (1 + np.exp(-logit))).astype(float)
        low, high = interval(values, draws=200, seed=run, bounds=(0, 1))
        hits += low <= truth <= high
    assert 0.92 <= hits / 1200 <= 0.98


def test_draws_equal_explicit_resampling_of_rows_and_columns() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 4, 5))
    values[0, 1, 2] = values[1, 0, 0] = np.nan
    drawn = _resample(values, 50, seed=3, fixed_prompts=False)
    again = np.random.default_rng(3)
    prompts, images = again.integers(0, 4, (50, 4)), again.integers(0, 5, (50, 5))
    for r in range(50):
        rows, columns = prompts[r], images[r]
        for m in range(2):
            np.testing.assert_allclose(drawn[r, m], np.nanmean(values[m][rows][:, columns]), atol=1e-12)


def test_error_of_independent_images_is_the_textbook_one() -> None:
    values = np.random.default_rng(0).normal(size=(1, 30))
    spread = two_way_spread(values)
    assert spread.error == pytest.approx(stats.sem(values[0]), rel=1e-12)
    low, high = interval(values, draws=20_000)
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values[0]))
    np.testing.assert_allclose((low, high), expected, atol=0.02)
    assert two_way_spread(values.T).error == pytest.approx(spread.error)


def test_components_equal_the_two_way_analysis_of_variance() -> None:
    values = _crossed(np.random.default_rng(4), (1.0, 0.7, 0.5))
    mean, by_prompt, by_image = values.mean(), values.mean(1), values.mean(0)
    prompts = IMAGES * ((by_prompt - mean) ** 2).sum() / (PROMPTS - 1)
    images = PROMPTS * ((by_image - mean) ** 2).sum() / (IMAGES - 1)
    rest = values - by_prompt[:, None] - by_image + mean
    noise = (rest**2).sum() / ((PROMPTS - 1) * (IMAGES - 1))
    spread = two_way_spread(values)
    assert spread.error**2 == pytest.approx((prompts + images - noise) / values.size, rel=1e-9)
    assert spread.prompt_share == pytest.approx((prompts - noise) / (prompts + images - noise), rel=1e-9)


def test_methods_share_their_resamples() -> None:
    values = _crossed(np.random.default_rng(5), (1.0, 1.0, 0.1))
    found = two_way_bootstrap(np.stack([values, values + 0.3]))
    np.testing.assert_allclose(found.draws[:, 1] - found.draws[:, 0], 0.3, atol=1e-9)
    assert found.high[1] - found.low[1] == pytest.approx(found.high[0] - found.low[0])


def test_one_seed_gives_one_answer_whatever_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from textedit_bench.metrics.statistics import bootstrap

    values = _crossed(np.random.default_rng(6), (1.0, 1.0, 1.0))
    assert interval(values, seed=1) == interval(values, seed=1) != interval(values, seed=2)
    monkeypatch.setattr(bootstrap, "_CHUNK", IMAGES * 7)
    low, high = interval(values, seed=1)
    assert low < values.mean() < high


def test_degenerate_grids_have_a_defined_interval() -> None:
    assert interval([[3.0]]) == (-np.inf, np.inf)
    assert interval([[0.5]], bounds=(0, 1)) == (0.0, 1.0)
    assert interval([[np.nan, np.nan]]) == (-np.inf, np.inf)
    assert interval(np.full((8, 24), 0.25)) == (0.25, 0.25)
    one_prompt = np.random.default_rng(0).normal(size=(1, 24))
    one_image = one_prompt.T
    for values in (one_prompt, one_image):
        low, high = interval(values)
        assert low < values.mean() < high
    lonely = np.full((3, 3), np.nan)
    np.fill_diagonal(lonely, [1.0, 2.0, 4.0])
    low, high = interval(lonely)
    assert np.isfinite([low, high]).all() and low < 7 / 3 < high


def test_wrong_input_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="shape"):
        two_way_bootstrap(np.zeros(5))
    with pytest.raises(ValueError, match="empty"):
        two_way_bootstrap(np.zeros((2, 0, 3)))
    with pytest.raises(ValueError, match="infinity"):
        interval([[np.inf, 1.0]])
    with pytest.raises(ValueError, match="draws"):
        interval([[1.0, 2.0]], draws=1)
    with pytest.raises(ValueError, match="level"):
        interval([[1.0, 2.0]], level=95)


GRIDS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 6)),
    elements=st.one_of(st.just(np.nan), st.floats(-100, 100, width=32)),
)


@settings(max_examples=40, deadline=None)
@given(values=GRIDS, shift=st.floats(-10, 10), scale=st.floats(0.125, 8))
def test_any_grid_gives_an_ordered_interval_that_moves_with_the_data(
    values: np.ndarray, shift: float, scale: float
) -> None:
    low, high = interval(values, draws=100)
    assert low <= high and not np.isnan([low, high]).any()
    spread = two_way_spread(values)
    moved = two_way_spread(values * scale + shift)
    size = scale * (np.nanmax(np.abs(values)) if spread.cells else 0.0) + abs(shift)
    if spread.cells:
        assert moved.mean == pytest.approx(spread.mean * scale + shift, abs=1e-9 * (1 + size))
    if np.isfinite(spread.error):
        assert moved.error == pytest.approx(spread.error * scale, rel=1e-3, abs=1e-6 * (1 + size))


@settings(max_examples=20, deadline=None)
@given(values=GRIDS, seed=st.integers(0, 99))
def test_the_order_of_prompts_and_images_does_not_matter(values: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixed = values[rng.permutation(len(values))][:, rng.permutation(values.shape[1])]
    before, after = two_way_spread(values), two_way_spread(mixed)
    assert (before.cells, before.prompts, before.images) == (after.cells, after.prompts, after.images)
    if np.isfinite(before.error):
        assert after.error == pytest.approx(before.error, rel=1e-6, abs=1e-6)
