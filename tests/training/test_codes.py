"""Training codes are the inverted training photos, or samples, computed once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.training import inverted_by, training_codes


class _Domain:
    """Photo i is inverted to the code full of i."""

    name, tier, device, resolution = "tiny", "mini", torch.device("cpu"), 64
    tier_card = SimpleNamespace(splits={"train": 100, "evaluation": 5}, inversion={"steps": 3})
    generator = SimpleNamespace(z_dim=3, map=lambda z: 2 * z, broadcast=lambda w: w[:, None].expand(-1, 2, -1))

    def __init__(self, weights: str = "a") -> None:
        self.weights, self.inverted = weights, 0

    def has(self, role: str) -> bool:
        return role == "encoder" and self.weights != "no encoder"

    def digest(self, role: str) -> str:
        return f"{role}-{self.weights}"

    def photos(self, split, n, start=0):
        assert split == "train"
        return torch.arange(start, start + n)

    def invert(self, photos):
        self.inverted += len(photos)
        return Latents(photos.view(-1, 1, 1).float().expand(-1, 2, 3), "w+")


def test_photos_in_order():
    codes = training_codes(_Domain())
    assert codes.shape == (100, 2, 3) and codes[:, 1, 2].tolist() == list(range(100))
    assert len(training_codes(_Domain(), count=7)) == 7


def test_samples_are_seeded_and_repeated_over_rows():
    first, same, other = (training_codes(_Domain(), "samples", 70, seed) for seed in (1, 1, 2))
    assert first.shape == (70, 2, 3) and torch.equal(first, same) and not torch.equal(first, other)
    assert torch.equal(first[:, 0], first[:, 1])


def test_kept_until_a_network_changes(tmp_path):
    domain = _Domain()
    first = training_codes(domain, cache=tmp_path)
    assert torch.equal(training_codes(domain, cache=tmp_path), first)
    assert domain.inverted == 100
    changed = _Domain("b")
    training_codes(changed, cache=tmp_path)
    assert changed.inverted == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [({"source": "photo"}, "photos, samples"), ({"count": 101}, "100 photos"), ({"source": "samples"}, "is required")],
)
def test_impossible_requests(options, message):
    with pytest.raises(UserError, match=message):
        training_codes(_Domain(), **options)


def test_without_an_encoder_the_settings_of_the_inversion_tell_codes_apart(tmp_path):
    domain = _Domain("no encoder")
    training_codes(domain, count=2, cache=tmp_path)
    assert domain.inverted == 2
    training_codes(domain, count=2, cache=tmp_path)
    assert domain.inverted == 2
    domain.tier_card = SimpleNamespace(**{**vars(_Domain.tier_card), "inversion": {"steps": 4}})
    training_codes(domain, count=2, cache=tmp_path)
    assert domain.inverted == 4


def test_the_identity_of_a_training_holds_the_inversion_where_no_encoder_makes_the_codes():
    without = _Domain("no encoder")
    assert inverted_by(without) == {"inversion": dict(without.tier_card.inversion)}
    assert inverted_by(_Domain("some")) == {}
