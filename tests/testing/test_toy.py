"""Toy data sets are read by the ordinary loaders and have the shapes they promise."""

from __future__ import annotations

import pytest
import torch

from textedit_bench import load_domain
from textedit_bench.registry import load_dataset, missing_file
from textedit_bench.testing import FULL_SIZE, TOYS, write_toy_dataset


@pytest.mark.parametrize("geometry", TOYS, ids=lambda geometry: geometry.name)
def test_a_toy_domain_has_the_shapes_of_its_geometry(geometry, tmp_path):
    domain = load_domain(str(write_toy_dataset(tmp_path, geometry)))
    photos = domain.photos("evaluation", 2)
    codes = domain.invert(photos).codes
    generator = domain.generator
    assert photos.images.shape == (2, 3, geometry.resolution, geometry.resolution)
    assert codes.shape == (2, generator.num_rows, geometry.w_dim)
    assert domain.clip.encode_text(["a"]).shape == domain.clip.encode_image(photos.images)[:1].shape
    assert domain.clip.embed_dim == geometry.clip_dim
    assert domain.has("identity") is domain.has("encoder") is geometry.complete
    if geometry.complete:
        assert domain.network("encoder").encode(photos.images).shape == codes.shape
        assert domain.discriminator(photos.images).shape[0] == 2


def test_two_toys_of_one_geometry_are_equal_and_leave_the_random_state_alone(tmp_path):
    before = torch.get_rng_state()
    first, second = (load_domain(str(write_toy_dataset(tmp_path / name))) for name in "ab")
    assert torch.equal(torch.get_rng_state(), before)
    states = [domain.generator.state_dict() for domain in (first, second)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert torch.equal(first.photos("evaluation", 3).images, second.photos("evaluation", 3).images)


def test_a_toy_with_judges_lacks_nothing_that_a_bench_needs(tmp_path):
    card = load_dataset(write_toy_dataset(tmp_path, judges=True))
    assert missing_file(card, "mini") is None
    assert card.tier("mini").lacks() is None
    domain = load_domain(str(card.path))
    assert domain.world.value_indices(domain.prompts()["bright-top"].asked) == {0: 1}


def test_the_toy_world_is_of_one_size(tmp_path):
    with pytest.raises(ValueError, match="draws 16 pixels, not 32"):
        write_toy_dataset(tmp_path, TOYS[1], judges=True)


def test_the_full_sizes_are_those_of_the_published_generators():
    from textedit_bench.models.stylegan2 import Generator

    rows = []
    for geometry in FULL_SIZE:
        sizes = {2**k: 1 for k in range(2, geometry.resolution.bit_length())}
        with torch.device("meta"):
            rows.append(Generator(geometry.resolution, 1, 1, n_mlp=1, channels=sizes).num_rows)
    assert rows == [18, 16, 14]
