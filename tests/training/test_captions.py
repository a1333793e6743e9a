"""Features of captions belong to their photos, and change with the captions."""

from __future__ import annotations

import pytest
import torch

from textedit_bench import load_domain
from textedit_bench.testing import write_toy_dataset
from textedit_bench.training import TrainingPhotos
from textedit_bench.training.captions import caption_features


@pytest.fixture
def domain(tmp_path):
    return load_domain(str(write_toy_dataset(tmp_path / "toy")))


def test_captions_of_a_photo_are_its_own_and_repeat_where_there_are_fewer(domain, tmp_path):
    photos = TrainingPhotos(domain, 5, domain.resolution, tmp_path)
    found, _ = caption_features(domain, photos, 3, tmp_path)
    assert found.shape == (5, 3, domain.clip.embed_dim)
    for position, captions in enumerate(domain.captions(domain.photos("train", 5))):
        assert len(captions) == 2
        torch.testing.assert_close(found[position], domain.clip.encode_text([captions[0], captions[1], captions[0]]))


def test_other_captions_are_embedded_anew(domain, tmp_path):
    photos = TrainingPhotos(domain, 5, domain.resolution, tmp_path)
    before, name = caption_features(domain, photos, 1, tmp_path)
    again, same = caption_features(domain, photos, 1, tmp_path)
    (tmp_path / "toy" / "captions" / "train-00001.txt").write_text("a toy of another kind")
    after, other = caption_features(domain, photos, 1, tmp_path)
    assert name == same != other and torch.equal(before, again)
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])
