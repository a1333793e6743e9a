"""A tiny domain with random networks behind the interface that real domains have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from textedit_bench.data.card import PromptCard
from textedit_bench.domain import Photos
from textedit_bench.worlds.world import Attribute, Factors, FactorSpace, Render, World

SIDE = 16
ATTRIBUTES = (
    Attribute("hair", ("dark", "blond"), (0.5, 0.5)),
    Attribute("hat", ("none", "cap"), (0.5, 0.5)),
    Attribute("mouth", ("neutral", "smile", "sad"), (0.4, 0.3, 0.3)),
)


class TinyWorld(World):
    """Each attribute is the grey level of its own band of rows; the hat's value ``cap`` hides the hair."""

    name = "tiny"
    subject = "a face"
    resolution = SIDE
    space = FactorSpace(ATTRIBUTES, ("width", "height"), ("light",))

    def render(self, factors: Factors) -> Render:
        images = torch.full((len(factors), 3, SIDE, SIDE), -0.5)
        for position, attribute in enumerate(ATTRIBUTES):
            level = 2 * factors.attributes[:, position].float() / (len(attribute.values) - 1) - 1
            images[:, :, 4 * position : 4 * position + 4] = level[:, None, None, None]
        images[:, 0, 12:] = factors.identity[:, :1, None] * 2 - 1
        visible = torch.ones(len(factors), len(ATTRIBUTES), dtype=torch.bool)
        visible[:, 0] = factors.attributes[:, 1] == 0
        masks = {}
        for position, attribute in enumerate(ATTRIBUTES):
            masks[attribute.name] = torch.zeros(len(factors), SIDE, SIDE, dtype=torch.bool)
            masks[attribute.name][:, 4 * position : 4 * position + 4] = True
        return Render(images, masks, visible)


class TinyOracle(nn.Module):
    """Reads the bands back; a band that is far from every level is an abstention."""

    attributes = tuple(a.name for a in ATTRIBUTES)

    def __init__(self, tolerance: float = 0.3) -> None:
        super().__init__()
        self.tolerance = tolerance

    def predict(self, images: Tensor) -> Tensor:
        labels = []
        for position, attribute in enumerate(ATTRIBUTES):
            level = images[:, :, 4 * position : 4 * position + 4].mean((1, 2, 3))
            grid = torch.linspace(-1, 1, len(attribute.values))
            away, index = (level[:, None] - grid).abs().min(1)
            labels.append(torch.where(away <= self.tolerance, index, -1))
        return torch.stack(labels, 1)


class TinyClip(nn.Module):
    """Random projections of pixels and of letters."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.image = torch.randn(3 * SIDE * SIDE, 8, generator=draw)
        self.letters = torch.randn(256, 8, generator=draw)
        self.seen = 0

    def encode_image(self, images: Tensor, preprocessing: str = "correct") -> Tensor:
        assert preprocessing == "correct"
        self.seen += len(images)
        return images.flatten(1) @ self.image

    def encode_text(self, texts: list[str]) -> Tensor:
        return torch.stack([self.letters[list(text.encode())].sum(0) for text in texts])


class TinyIdentity(nn.Module):
    """Random projection; an all-black picture holds no face."""

    threshold = 0.5

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.weight = torch.randn(3 * SIDE * SIDE, 8, generator=torch.Generator().manual_seed(seed))

    def embed(self, images: Tensor) -> Tensor:
        rows = nn.functional.normalize(images.flatten(1) @ self.weight, dim=1)
        black = (images <= -1).flatten(1).all(1)
        return torch.where(black[:, None], torch.full_like(rows, float("nan")), rows)


class TinyDistance(nn.Module):
    def forward(self, a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
        error = (a - b).square().mean(1)
        return error.mean((1, 2)) if keep is None else (error * keep).sum((1, 2)) / keep.sum((1, 2))


class TinyFeatures(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


class TinyDomain:
    """What the suite reads of a domain."""

    name = "tiny"
    tier = "mini"
    resolution = SIDE
    device = torch.device("cpu")
    card = SimpleNamespace(neutral="a face", kind="face")
    tier_card = SimpleNamespace(
        height=None,
        splits={"train": 48},
        prompts=(
            PromptCard(id="smile", target="a smiling face", attribute="mouth=smile"),
            PromptCard(id="blond", target="a face with blond hair", attribute="hair=blond"),
            PromptCard(id="blond-smile", target="a smiling blond face", attribute="hair=blond,mouth=smile"),
        ),
    )

    def __init__(self, networks: dict[str, Any], world: Any) -> None:
        self.networks, self.world = networks, world

    def has(self, role: str) -> bool:
        return role in self.networks

    def network(self, role: str) -> Any:
        return self.networks[role]

    def photos(self, split: str, n: int) -> Photos:
        factors = self.world.split_factors(split, range(n))
        return Photos(self.world.render(factors).images, tuple(map(str, range(n))), factors)

    def digest(self, role: str) -> str:
        return f"{sum(role.encode()):016x}"


@pytest.fixture
def domain() -> TinyDomain:
    networks = {
        "clip": TinyClip(0),
        "judge_clip": TinyClip(1),
        "identity": TinyIdentity(2),
        "judge_identity": TinyIdentity(3),
        "perceptual": TinyDistance(),
        "features": TinyFeatures(),
        "oracle": TinyOracle(),
        "second_oracle": TinyOracle(0.1),
    }
    return TinyDomain(networks, TinyWorld())


@pytest.fixture
def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)
