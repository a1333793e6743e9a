"""DINOv2 against timm's vision transformer, with random weights; its resize and position rules by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from textedit_bench.errors import CheckpointError
from textedit_bench.models import dinov2, loading
from textedit_bench.models.dinov2 import DinoV2

GRID = 5


@pytest.fixture(scope="module")
def network():
    """Two blocks of width 128 with the positions of 5 x 5 patches; every tensor is random."""
    draw = torch.Generator().manual_seed(0)
    made = DinoV2(128, 2, GRID)
    for tensor in made.state_dict().values():
        tensor.copy_(0.2 * torch.randn(tensor.shape, generator=draw))
    return made


@pytest.fixture
def picture():
    levels = torch.randint(0, 256, (2, 3, 40, 32), generator=torch.Generator().manual_seed(1))
    return levels / 127.5 - 1.0


def test_class_tokens_are_those_of_timm(network):
    from timm.models.vision_transformer import VisionTransformer

    theirs = VisionTransformer(
        img_size=14 * GRID, patch_size=14, embed_dim=128, depth=2, num_heads=2, num_classes=0, init_values=1e-5
    ).eval()
    theirs.load_state_dict(network.state_dict())
    inputs = torch.randn(2, 3, 14 * GRID, 14 * GRID, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(network.trunk(inputs), theirs(inputs), rtol=1e-4, atol=1e-5)


def test_positions_of_other_sizes_sample_the_trained_ones_with_the_published_offset(network):
    found = network._positions(2, 3)[0].T.reshape(128, 2, 3)
    square = network.pos_embed[:, 1:].unflatten(1, (GRID, GRID)).permute(0, 3, 1, 2)
    # Output i lies at (i + 1/2) * 5 / (n + 0.1) - 1/2 of the trained grid: read there by a sampler of its own.
    places = [((torch.arange(n) + 0.5) * GRID / (n + 0.1)) * 2 / GRID - 1 for n in (2, 3)]
    grid = torch.stack(torch.meshgrid(*places, indexing="ij")[::-1], -1)[None]
    expected = F.grid_sample(square, grid, mode="bicubic", padding_mode="border", align_corners=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(network._positions(GRID, GRID), network.pos_embed[:, 1:])


def test_pictures_are_resized_like_pillow_and_normalised_by_imagenet(network, picture, monkeypatch):
    seen = []
    monkeypatch.setattr(network, "trunk", lambda inputs: seen.append(inputs) or inputs.mean((2, 3)))
    network(picture)
    levels = ((picture[0] + 1) * 127.5).numpy()
    for channel in range(3):
        small = Image.fromarray(levels[channel], mode="F").resize((224, 224), Image.Resampling.BICUBIC)
        expected = (np.asarray(small).clip(0, 255) / 255 - dinov2.MEAN[channel]) / dinov2.STD[channel]
        assert np.abs(seen[0][0, channel].numpy() - expected).max() < 0.005 / 255 / 0.2


def test_the_published_layout_is_recognised_as_judge_and_as_features(network, picture, tmp_path):
    path = tmp_path / "dinov2_vitl14_pretrain.pth"
    torch.save({**network.state_dict(), "mask_token": torch.zeros(1, 128)}, path)
    judge, features = loading.load_judge_identity(path), loading.load_features(path)
    assert isinstance(judge, DinoV2) and isinstance(features, DinoV2)
    rows = judge.embed(picture)
    assert rows.shape == (2, 128) and rows.isfinite().all()
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(2))
    assert torch.equal(F.normalize(features(picture), dim=1), rows)
    assert not judge.training and not any(p.requires_grad for p in judge.parameters())


def test_networks_with_registers_and_damaged_files_are_refused_in_one_line(network, tmp_path):
    state = network.state_dict()
    damaged = {
        "registers": {**state, "register_tokens": torch.zeros(1, 4, 128)},
        "positions": {**state, "pos_embed": torch.zeros(1, 20, 128)},
        "short": {name: tensor for name, tensor in state.items() if name != "norm.bias"},
    }
    for name, broken in damaged.items():
        torch.save(broken, tmp_path / name)
        with pytest.raises(CheckpointError) as caught:
            loading.load_judge_identity(tmp_path / name)
        assert len(str(caught.value).splitlines()) == 1 and str(tmp_path / name) in str(caught.value)


def test_the_published_sizes_have_the_published_number_of_parameters():
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in DinoV2(width, depth).parameters()) for width, depth in ((768, 12), (1024, 24))]
    # ViT-B/14 and ViT-L/14 have 86,580,480 and 304,368,640, the token of masked patches included, which is not read.
    assert sizes == [86_580_480 - 768, 304_368_640 - 1024]
