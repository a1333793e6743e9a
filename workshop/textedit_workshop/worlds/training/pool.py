"""Rendered pictures stored as bytes: rendering costs more than a training step, so all trainings share one pool."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from textedit_bench.files import write_atomically
from textedit_bench.levels import from_levels, to_levels
from textedit_bench.worlds.world import Factors, World

POOL_SIZE = 24_000
POOL_SEED = 1
FRESH_SIZE = 4_000
FRESH_SEED = 999_983
"""Quality figures are measured on renders of this seed, which no training sees."""

Sampler = Callable[[int, torch.Generator], Factors]


@dataclass(frozen=True)
class Pool:
    """Pictures with their ground truth.

    Attributes:
        pixels: uint8 [N, 3, H, W].
        factors: what was drawn.
        visible: bool [N, A].
    """

    pixels: Tensor
    factors: Factors
    visible: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice) -> Pool:
        """Select some of the pictures, in order."""
        return Pool(self.pixels[part], self.factors[part], self.visible[part])

    def images(self, index: Tensor | slice) -> Tensor:
        """Return pictures in [-1, 1]."""
        return from_levels(self.pixels[index])


def render_pool(world: World, factors: Factors, batch_size: int = 64) -> Pool:
    """Render every picture of ``factors``."""
    pixels, visible = [], []
    for start in range(0, len(factors), batch_size):
        render = world.render(factors[start : start + batch_size])
        pixels.append(to_levels(render.images))
        visible.append(render.visible)
    return Pool(torch.cat(pixels), factors, torch.cat(visible))


def cached_pool(
    world: World, count: int, seed: int, folder: Path, name: str = "random", sampler: Sampler | None = None
) -> Pool:
    """Return the pool of a seed, from ``folder`` if the same renderer has rendered it before.

    Args:
        world: what draws.
        count: pictures.
        seed: of the random factors.
        folder: cache, outside version control.
        name: identifies the sampler.
        sampler: draws factors; the world's training distribution by default.
    """
    generator = torch.Generator().manual_seed(seed)
    probe = world.render(world.sample(8, torch.Generator().manual_seed(0)))
    key = hashlib.sha256(probe.images.numpy().tobytes() + probe.visible.numpy().tobytes()).hexdigest()[:8]
    path = folder / f"pool-{world.name}-{name}-{count}-{seed}-{key}.safetensors"
    if path.is_file():
        stored = load_file(path)
        factors = Factors(stored["attributes"], stored["identity"], stored["nuisance"])
        return Pool(stored["pixels"], factors, stored["visible"])
    pool = render_pool(world, (sampler or world.sample)(count, generator))
    folder.mkdir(parents=True, exist_ok=True)
    f = pool.factors
    tensors = {"attributes": f.attributes, "identity": f.identity, "nuisance": f.nuisance, "pixels": pool.pixels}
    write_atomically(path, lambda temporary: save_file({**tensors, "visible": pool.visible}, temporary))
    return pool


def identities(world: World, per_identity: int) -> Sampler:
    """Sample ``per_identity`` consecutive pictures per person: one identity, other attributes and nuisances."""

    def sample(count: int, generator: torch.Generator) -> Factors:
        factors = world.sample(count, generator)
        people = factors.identity[::per_identity].repeat_interleave(per_identity, 0)[:count]
        return Factors(factors.attributes, people, factors.nuisance)

    return sample
