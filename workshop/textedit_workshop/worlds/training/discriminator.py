"""The mini discriminator, trained against the finished generator.

A picture is a function of its w here, so regression alone makes the generator sharp and no adversarial fine-tune
follows; methods with an adversarial loss still need a discriminator of the real pictures. Logistic loss with lazy R1
(Karras et al. 2020, arXiv 1912.04958, appendix B).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from textedit_bench.models.stylegan2 import Discriminator, Generator
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.generator import SEED_STRIDE, scaled
from textedit_workshop.worlds.training.pool import POOL_SEED, POOL_SIZE, Pool, cached_pool

CHANNELS = {4: 96, 8: 96, 16: 64, 32: 40, 64: 20}
BATCH_SIZE = 8
R1_WEIGHT = 1.0
R1_EVERY = 8


class RealAndFake:
    """Renders of a pool and pictures of the frozen generator, as many of each."""

    def __init__(self, pool: Pool, generator: Generator, seed: int) -> None:
        self.pool, self.generator, self.seed = pool, generator.eval().requires_grad_(False), seed

    @torch.no_grad()
    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return real and fake images of one step."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        real = self.pool.images(torch.randint(len(self.pool), (BATCH_SIZE,), generator=stream))
        z = torch.randn(BATCH_SIZE, self.generator.z_dim, generator=stream)
        return real, self.generator.synthesize(self.generator.map(z), noise="none").clamp(-1, 1)


class DiscriminatorTraining(Trained):
    """Classifies renders and generated pictures."""

    def __init__(self, plan: Plan, discriminator: Discriminator) -> None:
        super().__init__(plan)
        self.discriminator = discriminator

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Logistic loss, with the gradient penalty on real pictures every few steps."""
        real, fake = batch
        penalised = self.global_step % R1_EVERY == 0
        real = real.requires_grad_(penalised)
        on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        loss = softplus(-on_real).mean() + softplus(on_fake).mean()
        self.log("loss", loss)
        self.log("right", 0.5 * ((on_real > 0).float().mean() + (on_fake < 0).float().mean()))
        if penalised:
            (gradient,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = loss + R1_WEIGHT / 2 * R1_EVERY * gradient.square().sum((1, 2, 3)).mean()
        return loss


def train(
    world: World, name: str, plan: Plan, cache: Path, *, generator: Generator
) -> tuple[Discriminator, float, dict[str, Any]]:
    """Train against the finished generator.

    Returns:
        Network, seconds, and its accuracy on new renders and samples.
    """
    discriminator = Discriminator(world.resolution, channels=scaled(CHANNELS, world.detail))
    pool = cached_pool(world, POOL_SIZE, POOL_SEED, cache)
    batches = RealAndFake(pool, generator, plan.seed)
    seconds = fit(DiscriminatorTraining(plan, discriminator), batches, plan)
    discriminator.eval().requires_grad_(False)
    right = []
    for step in range(plan.steps, plan.steps + 16):
        real, fake = batches(step)
        right.append(0.5 * ((discriminator(real) > 0).float().mean() + (discriminator(fake) < 0).float().mean()))
    return discriminator, seconds, {"told_apart": float(torch.stack(right).mean())}
