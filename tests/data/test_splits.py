"""Splits of photos of a user's own: made from what is there, never overlapping, evaluation first."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from textedit_bench.data.own_photos import ORDER, fit_splits
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.testing.toy import write_toy_dataset

CARDS = st.dictionaries(st.sampled_from(ORDER), st.integers(1, 60), min_size=1)


@given(CARDS, st.integers(1, 200))
def test_no_split_overlaps_or_is_larger_than_asked_and_none_goes_without_before_a_later_one_has_any(splits, there):
    fitted = fit_splits(splits, there)
    assert fitted.keys() == splits.keys()
    assert sum(fitted.values()) == min(there, sum(splits.values()))
    assert all(0 <= fitted[name] <= splits[name] for name in splits)
    present = [name for name in ORDER if name in splits]
    for name, later in itertools.pairwise(present):
        assert fitted[name] == splits[name] or fitted[later] == 0


@given(CARDS)
def test_a_source_that_is_large_enough_has_the_cards_splits(splits):
    assert fit_splits(splits, sum(splits.values())) == splits


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)


@pytest.mark.parametrize("there", [1, 5, 8, 9, 16, 17, 31, 32, 40])
def test_every_photo_is_in_one_split_at_most(toy, tmp_path, there):
    for number in range(there):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{number:02d}.png")
    domain = load_domain(str(toy), "mini", source=str(tmp_path))
    seen = [key for name, count in domain.tier_card.splits.items() if count for key in domain.photos(name).ids]
    assert len(seen) == len(set(seen)) == min(there, 32)
    assert domain.photos("evaluation").ids[0] == "00.png"


def test_a_split_that_got_nothing_says_so(toy, tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    domain = load_domain(str(toy), "mini", source=str(tmp_path))
    with pytest.raises(UserError, match=r"split train of .* has no images: the splits before it use all"):
        domain.photos("train")


def test_codes_are_counted_without_a_generator_and_none_at_all_are_refused(toy, tmp_path):
    np.save(tmp_path / "codes.npy", np.zeros((10, 8), np.float32))
    splits = load_domain(str(toy), "mini", source=str(tmp_path / "codes.npy")).tier_card.splits
    assert splits == {"evaluation": 8, "development": 2, "train": 0}
    np.save(tmp_path / "none.npy", np.zeros((0, 8), np.float32))
    with pytest.raises(UserError, match="holds no codes"):
        load_domain(str(toy), "mini", source=str(tmp_path / "none.npy"))
