"""Training of attribute classifiers: oracles, and backbones of the perceptual distance and the FID features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models import roles
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.networks.oracle import CONFIGS, Oracle
from textedit_bench.worlds.networks.trunk import FEATURES, PERCEPTUAL, FeatureNetwork, PerceptualDistance
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.training.augment import augment, degrade
from textedit_workshop.worlds.training.edited import edited_pool, together
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.pool import FRESH_SEED, FRESH_SIZE, POOL_SEED, POOL_SIZE, Pool, cached_pool

BATCH = 112
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def visible_cross_entropy(logits: list[Tensor], values: Tensor, visible: Tensor) -> Tensor:
    """Compute the mean cross-entropy over visible (picture, attribute) pairs.

    Args:
        logits: [B, values] of each attribute.
        values, visible: [B, A].
    """
    losses = [F.cross_entropy(part, values[:, i], reduction="none") for i, part in enumerate(logits)]
    return (torch.stack(losses, 1) * visible).sum() / visible.sum().clamp(min=1)


class AttributeBatches:
    """Augmented pictures of a pool with their truth; ``degraded`` ones for networks that should overlook softness."""

    def __init__(self, pool: Pool, size: int, seed: int, degraded: bool = True) -> None:
        self.pool, self.size, self.seed, self.degraded = pool, size, seed, degraded

    def __call__(self, step: int) -> Batch:
        """Return pictures, values, visibility, geometry."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        index = torch.randint(len(self.pool), (self.size,), generator=generator)
        factors = self.pool.factors[index]
        images = augment(self.pool.images(index), generator, degraded=self.degraded)
        return images, factors.attributes, self.pool.visible[index], factors.identity


class AttributeTraining(Trained):
    """Cross-entropy on visible attributes and, if the network predicts geometry too, its regression.

    Args:
        network: kept in ``self.network`` and trained.
        read: network and pictures -> logits per attribute and, or None, geometry.
        heads: further modules that are trained and thrown away.
        plan: length and place.
    """

    def __init__(
        self,
        network: nn.Module,
        read: Callable[[Tensor], tuple[list[Tensor], Tensor | None]],
        heads: nn.Module | None,
        plan: Plan,
    ) -> None:
        super().__init__(plan)
        self.network = network.train().to(memory_format=torch.channels_last)
        self.heads = heads
        self.read = read

    def training_step(self, batch: Batch) -> Tensor:
        """One step."""
        images, values, visible, geometry = batch
        logits, guess = self.read(images.contiguous(memory_format=torch.channels_last))
        loss = visible_cross_entropy(logits, values, visible)
        self.log("attributes", loss)
        if guess is not None:
            regression = F.mse_loss(guess, (geometry - 0.5) * 12**0.5)
            self.log("geometry", regression)
            loss = loss + regression
        return loss


@torch.no_grad()
def oracle_accuracy(oracle: roles.Oracle, pool: Pool, seed: int = 0) -> dict[str, float]:
    """Compute the accuracy per attribute, on pictures degraded like reconstructions; abstaining is wrong."""
    generator = torch.Generator().manual_seed(seed)
    guesses = []
    for start in range(0, len(pool), 256):
        guesses.append(oracle.predict(degrade(pool.images(slice(start, start + 256)), generator)))
    right = torch.cat(guesses) == pool.factors.attributes
    return {name: float(right[pool.visible[:, i], i].float().mean()) for i, name in enumerate(oracle.attributes)}


def train(
    world: World, role: str, plan: Plan, pools: Path, *, generator: Generator | None = None
) -> tuple[nn.Module, float, dict[str, Any]]:
    """Train an oracle (``oracle``, ``second_oracle``), the ``perceptual`` backbone or the ``features`` network.

    Args:
        world: what renders.
        role: which of the four.
        plan: length and place.
        pools: where rendered pools are kept.
        generator: the finished generator; where given, half of the pictures are its edits instead of renders.
    """
    sizes = [(a.name, len(a.values)) for a in world.attributes]
    pool = cached_pool(world, POOL_SIZE, POOL_SEED, pools)
    if generator is not None:
        half = POOL_SIZE // 2
        pool = together(pool[:half], edited_pool(world, generator, half, plan.seed))
    # Oracles must read soft pictures; the distance and the FID features must see that they are soft.
    batches = AttributeBatches(pool, BATCH, plan.seed, degraded=role in CONFIGS)
    fresh = cached_pool(world, FRESH_SIZE, FRESH_SEED, pools)
    if role in CONFIGS:
        oracle = Oracle(**CONFIGS[role], attributes=sizes, side=world.resolution)
        plan.prepare(oracle)
        seconds = fit(AttributeTraining(oracle, lambda x: (oracle(x), None), None, plan), batches, plan)
        return oracle.eval(), seconds, {"accuracy": oracle_accuracy(oracle, fresh)}
    network, heads, read = _with_heads(role, world, [size for _, size in sizes])
    seconds = fit(AttributeTraining(network, read, heads, plan), batches, plan)
    network.eval(), heads.eval()
    return network, seconds, {"accuracy": _head_accuracy(read, fresh, [name for name, _ in sizes])}


def _with_heads(role: str, world: World, sizes: list[int]) -> tuple[nn.Module, nn.Module, Any]:
    """Return the network of a role with heads for attributes and geometry, for training only."""
    geometry = len(world.space.identity)
    network: nn.Module
    if role == "features":
        network = FeatureNetwork(**FEATURES, side=world.resolution)
        heads = nn.Linear(network.dim, sum(sizes) + geometry)
        to_flat: Callable[[Tensor], Tensor] = network
    else:
        network = PerceptualDistance(**PERCEPTUAL)
        channels, stages = PERCEPTUAL["channels"], len(PERCEPTUAL["channels"])
        cells = (world.resolution // 2**stages) ** 2
        heads = nn.Linear(channels[-1] * cells, sum(sizes) + geometry)
        trunk = network.trunk

        def to_flat(images: Tensor) -> Tensor:
            return trunk(images)[-1].flatten(1)

    def read(images: Tensor) -> tuple[list[Tensor], Tensor]:
        *logits, guess = heads(to_flat(images)).split([*sizes, geometry], dim=1)
        return logits, guess

    return network, heads, read


@torch.no_grad()
def _head_accuracy(read: Any, pool: Pool, names: list[str]) -> dict[str, float]:
    values = []
    for start in range(0, len(pool), 256):
        logits, _ = read(pool.images(slice(start, start + 256)))
        values.append(torch.stack([part.argmax(1) for part in logits], 1))
    right = torch.cat(values) == pool.factors.attributes
    return {name: float(right[pool.visible[:, i], i].float().mean()) for i, name in enumerate(names)}
