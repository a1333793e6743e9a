"""A domain small enough to train on in a test: random frozen networks, no files."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textedit_bench.domain import Domain, Photos
from textedit_bench.editor import Latents
from textedit_bench.prompt import Prompt

SIDE = 8
PHRASES = ("blond hair", "glasses", "smiling")


class TinyGenerator(nn.Module):
    """Images as a smooth function of W+."""

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        self.num_rows, self.w_dim, self.z_dim, self.resolution = rows, dim, dim, SIDE
        self.paint = nn.Linear(rows * dim, 3 * SIDE * SIDE)

    def map(self, z: Tensor) -> Tensor:
        return z

    def broadcast(self, w: Tensor) -> Tensor:
        return w.unsqueeze(1).expand(-1, self.num_rows, -1)

    def synthesize(self, w_plus: Tensor | Latents, noise: str = "const") -> Tensor:
        codes = w_plus.codes if isinstance(w_plus, Latents) else w_plus
        return torch.tanh(self.paint(codes.flatten(1))).view(-1, 3, SIDE, SIDE)


class TinyClip(nn.Module):
    """Image features, and one fixed random vector per text."""

    image_size = SIDE

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embed_dim = dim
        self.look = nn.Linear(3 * SIDE * SIDE, dim)

    def encode_image(self, images: Tensor, preprocessing: str = "correct") -> Tensor:
        return 3 * self.look(images.flatten(1))

    def encode_text(self, texts: list[str]) -> Tensor:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little") for text in texts]
        draws = [torch.randn(self.embed_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return torch.stack(draws)


class TinyIdentity(nn.Module):
    """Unit vectors of images."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Linear(3 * SIDE * SIDE, 6)

    def embed(self, images: Tensor) -> Tensor:
        return nn.functional.normalize(self.look(images.flatten(1)), dim=-1)


class TinyEncoder(nn.Module):
    """W+ codes of photos."""

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        self.rows, self.dim = rows, dim
        self.read = nn.Linear(3 * SIDE * SIDE, rows * dim)

    def encode(self, images: Tensor) -> Tensor:
        return self.read(images.flatten(1)).view(-1, self.rows, self.dim)


class TinyDomain(Domain):
    """A `Domain` whose networks are made, not read, and whose photos are noise."""

    def __init__(self, card: Any = None, tier: str = "mini", device: Any = "cpu", rows: int = 4, dim: int = 16) -> None:
        prompts = [
            SimpleNamespace(split="train", trained=True, prompt=lambda words=words: Prompt("a face", phrase=words))
            for words in PHRASES
        ]
        tier_card = SimpleNamespace(prompts=prompts, splits={"train": 40}, networks={}, resolution=SIDE, source=None)
        card = card or SimpleNamespace(name="tiny", kind="face", tier=lambda name: tier_card)
        super().__init__(card, tier, device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.made: dict[str, nn.Module] = {
                "generator": TinyGenerator(rows, dim),
                "clip": TinyClip(dim),
                "identity": TinyIdentity(),
                "encoder": TinyEncoder(rows, dim),
            }
        for network in self.made.values():
            network.eval().requires_grad_(False)

    @property
    def inverter(self) -> Any:
        return self.network("encoder")

    def network(self, role: str) -> Any:
        return self.made[role]

    def has(self, role: str) -> bool:
        return role in self.made

    def digest(self, role: str) -> str:
        return f"{role}-made"

    def photos(self, split: str, n: int | None = None, start: int = 0) -> Photos:
        n = 40 - start if n is None else n
        draws = [
            torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(i)) for i in range(start, start + n)
        ]
        return Photos(torch.stack(draws).clamp(-1, 1), tuple(f"{split}-{i}" for i in range(start, start + n)))


@pytest.fixture
def tiny_domain() -> type[TinyDomain]:
    """The class, for tests that need several."""
    return TinyDomain


class Published:
    """One parity fixture: tensors by official name, inputs, and the comparison with what the published code gave."""

    def __init__(self, fill: ModuleType, name: str) -> None:
        self.fill = fill
        self.manifest, self.outputs = fill.load(Path(__file__).parent / "parity" / name)
        fill.self_check(self.manifest)

    def state(self) -> dict[str, Tensor]:
        tensors = self.fill.state_dict(self.manifest)
        return {name: torch.from_numpy(np.asarray(value)) for name, value in tensors.items()}

    def input(self, name: str) -> Tensor:
        return torch.from_numpy(self.fill.make_input(self.manifest, name))

    def check(self, name: str, value: Tensor) -> None:
        worst, tolerance = self.fill.compare(self.manifest, self.outputs, name, value.detach().numpy())
        assert worst <= tolerance, f"{name}: {worst:.3g} > {tolerance:.3g}"


@pytest.fixture(scope="session")
def parity() -> Callable[[str], Published]:
    """parity("styleclip_single_mapper") -> Published; the rule is the one of the backbones' fixtures."""
    path = Path(__file__).parents[1] / "models" / "parity" / "fill.py"
    spec = importlib.util.spec_from_file_location("published_fill", path)
    assert spec and spec.loader
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    return lambda name: Published(fill, name)
