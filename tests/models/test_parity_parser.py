"""The face parser reproduces the official logits from the published layout, and is found by role and by content."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from textedit_bench.assets.locate import missing_files
from textedit_bench.data.card import read_card
from textedit_bench.domain import Domain
from textedit_bench.models import CheckpointError, convert, load_identity, load_parser
from textedit_bench.models.parsenet import HAIR, SIDE
from textedit_bench.registry import missing_network
from textedit_bench.testing import write_toy_dataset


@pytest.fixture(scope="module")
def fixture(parity):
    return parity("hairclip_parsenet")


@pytest.fixture(scope="module")
def weights(fixture, tmp_path_factory):
    path = tmp_path_factory.mktemp("parser") / "parsenet.pth"
    torch.save(fixture.state(), path)
    return path


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_are_the_published_ones(fixture, weights, dtype):
    logits = load_parser(weights).to(dtype)(fixture.input("image").to(dtype))
    fixture.check("logits", logits)
    fixture.check("class_counts", logits.argmax(1).flatten().bincount(minlength=19))
    assert sum(value.numel() for value in fixture.state().values()) == 1_947_317


def test_hair_is_asked_for_at_512_and_given_at_the_pictures_own_size(weights):
    parser = load_parser(weights)
    asked = []
    parser.forward = lambda images: asked.append(images) or F.one_hot(_halves(images), 19).permute(0, 3, 1, 2)
    for side in (128, 1024):
        mask = parser.hair(torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)))
        assert asked.pop().shape[-1] == SIDE
        assert mask.shape == (2, 1, side, side)
        assert mask[:, :, : side // 2].eq(1).all() and mask[:, :, side // 2 :].eq(0).all()


def _halves(images):
    """Class of hair in the upper half, its neighbour in the lower one."""
    rows = torch.arange(images.shape[-1]) < images.shape[-1] // 2
    return torch.where(rows, HAIR, HAIR + 1)[None, :, None].expand(len(images), -1, images.shape[-1])


def test_other_networks_are_told_apart(weights, tmp_path):
    with pytest.raises(CheckpointError, match="face parser"):
        load_identity(weights)
    torch.save({"output_layer.3.weight": torch.zeros(2)}, tmp_path / "arcface.pth")
    with pytest.raises(CheckpointError, match="not a face parser"):
        load_parser(tmp_path / "arcface.pth")
    (path,) = convert(weights, tmp_path / "parser.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(*_tensors(path, weights), strict=True))


def _tensors(*paths):
    return [load_parser(path).state_dict().values() for path in paths]


def test_a_tier_works_without_its_parser_and_sees_it_when_it_is_there(weights, tmp_path):
    path = write_toy_dataset(tmp_path / "toy")
    path.write_text(path.read_text().replace("networks:\n", "networks:\n      parser: parsenet.pth\n"))
    card = read_card(path)
    assert not Domain(card, "mini").has("parser")
    assert missing_network(card, "mini") is None and missing_files(card, "mini") == []
    path.with_name("parsenet.pth").write_bytes(weights.read_bytes())
    domain = Domain(card, "mini")
    assert domain.has("parser") and domain.network("parser").hair(torch.zeros(1, 3, 16, 16)).shape == (1, 1, 16, 16)
    path.with_name("parsenet.pth").write_bytes(path.with_name("clip.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="hair"):
        Domain(card, "mini").network("parser")
