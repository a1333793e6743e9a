"""The block jackknife sees source images as its units, and has the size of real repeated draws."""

from __future__ import annotations

import numpy as np
import pytest

from textedit_bench.metrics.sets import SET_METRICS, Distance
from textedit_bench.metrics.statistics import delete_block_jackknife

FID, KID = SET_METRICS["fid_real"].compute, SET_METRICS["kid_real"].compute


def _mean_gap(x: np.ndarray, y: np.ndarray, *_: object) -> float:
    return float(x.mean() - y.mean())


def test_error_of_a_mean_is_the_textbook_one() -> None:
    x = np.random.default_rng(0).normal(size=(20, 1))
    found = delete_block_jackknife(x, np.arange(20), np.zeros((5, 1)), distance=_mean_gap, floor=None)
    assert found.error == pytest.approx(x.std(ddof=1) / 20**0.5)
    assert found.value == pytest.approx(x.mean())
    assert found.low < found.value < found.high


def test_the_block_is_a_source_image_with_all_its_prompts() -> None:
    one_each = np.random.default_rng(1).normal(size=(12, 1))
    repeated = np.repeat(one_each, 8, axis=0)
    blocks = np.repeat([f"image-{i}" for i in range(12)], 8)
    reference = np.zeros((5, 1))
    honest = delete_block_jackknife(repeated, blocks, reference, distance=_mean_gap, floor=None)
    single = delete_block_jackknife(one_each, np.arange(12), reference, distance=_mean_gap, floor=None)
    assert honest.error == pytest.approx(single.error)
    assert honest.blocks == 12


def test_of_many_images_several_make_a_block() -> None:
    images = np.repeat(np.random.default_rng(1).normal(size=(640, 1)), 2, axis=0)
    blocks, asked = np.repeat(np.arange(640), 2), []

    def distance(x: np.ndarray, y: np.ndarray, sources: np.ndarray, reference_sources: np.ndarray) -> float:
        asked.append((len(x), len(y)))
        # Merged for the jackknife alone: photos stay photos.
        assert len(x) == 2 * len(np.unique(sources)) and (sources == reference_sources).all()
        return _mean_gap(x, y)

    found = delete_block_jackknife(images, blocks, images * 0, reference_blocks=blocks, distance=distance, floor=None)
    assert asked == [(1280, 1280)] + [(1260, 1260)] * 64 and found.blocks == 64
    assert found.value == images.mean()
    assert found.error == pytest.approx(images[::2].std(ddof=1) / 640**0.5, rel=0.25)


def test_a_reference_of_the_same_images_is_left_out_with_them() -> None:
    rng = np.random.default_rng(2)
    source = rng.normal(size=(12, 3)) * 5
    edits = source + 0.1
    together = delete_block_jackknife(edits, np.arange(12), source, distance=FID, reference_blocks=np.arange(12))
    apart = delete_block_jackknife(edits, np.arange(12), source, distance=FID)
    assert together.error < 1e-6 < apart.error


@pytest.mark.parametrize("distance", [FID, KID])
def test_error_has_the_size_of_the_spread_over_fresh_draws(distance: Distance) -> None:
    rng = np.random.default_rng(3)
    reference = rng.normal(size=(150, 4))

    def edits() -> np.ndarray:
        return np.repeat(0.7 + rng.normal(size=(40, 4)), 3, axis=0) + 0.3 * rng.normal(size=(120, 4))

    blocks = np.repeat(np.arange(40), 3)
    spread = np.std([distance(edits(), reference, blocks, None) for _ in range(40)])
    errors = [delete_block_jackknife(edits(), blocks, reference, distance=distance).error for _ in range(3)]
    assert 0.55 < np.mean(errors) / spread < 1.8


@pytest.mark.parametrize("paired", [False, True])
def test_the_distances_without_a_block_are_those_of_the_other_rows(paired: bool) -> None:
    rng = np.random.default_rng(5)
    x, blocks = rng.normal(size=(12, 3)), np.repeat(np.arange(4), 3)
    y, own = rng.normal(size=(4, 3)), np.arange(4)
    found = delete_block_jackknife(x, blocks, y, distance=KID, reference_blocks=own if paired else None, floor=None)
    for block in range(4):
        rows, others = blocks != block, (own != block) | (not paired)
        alone = KID(x[rows], y[others], blocks[rows], own[others] if paired else None)
        assert found.left[block] == pytest.approx(alone, rel=1e-9, abs=1e-9)


def test_an_interval_holds_its_own_point_and_stays_above_the_floor() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(15, 3))
    found = delete_block_jackknife(x, np.arange(15), rng.normal(size=(200, 3)), distance=FID)
    assert 0.0 <= found.low <= found.value <= found.high


def test_wrong_input_is_one_clear_error() -> None:
    x = np.zeros((4, 2))
    with pytest.raises(ValueError, match="label"):
        delete_block_jackknife(x, [0, 1], x, distance=FID)
    with pytest.raises(ValueError, match="label"):
        delete_block_jackknife(x, [0, 1, 2, 3], x, distance=FID, reference_blocks=[0])
    with pytest.raises(ValueError, match="at least 3"):
        delete_block_jackknife(x, [0, 0, 1, 1], x, distance=FID)
