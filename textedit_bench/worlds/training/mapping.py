"""The mini generator, second stage: the mapping network z -> w, trained alone against factors drawn from z."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.factors import Factors
from textedit_bench.worlds.training.fit import Plan, Trained
from textedit_bench.worlds.world import World


class LatentFactors:
    """Which factors a z stands for: fixed orthogonal projections of the normalised z, read as normal numbers.

    Args:
        world: supplies the distribution of the factors.
        z_dim: width of z, at least as many as the world has random numbers.
    """

    def __init__(self, world: World, z_dim: int, seed: int = 0) -> None:
        stream = torch.Generator().manual_seed(seed + 1)
        square = torch.randn(z_dim, z_dim, generator=stream, dtype=torch.float64)
        self.matrix = torch.linalg.qr(square)[0][:, : world.space.count].float()
        self.space = world.space

    def factors(self, z: Tensor) -> Factors:
        """z [B, z_dim], standard normal -> factors, distributed as the world's training data."""
        unit = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        return self.space.from_normal(unit @ self.matrix)


BATCH_SIZE = 512


class MappingRegression(Trained):
    """Trains ``generator.style`` and nothing else; a minute on one core."""

    def __init__(self, plan: Plan, generator: Generator) -> None:
        super().__init__(plan)
        self.generator = generator

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Mean squared error of w [B, w_dim] given z [B, z_dim]."""
        z, w = batch
        loss = (self.generator.map(z) - w).square().mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay; the rate is divided by the layers' learning-rate multiplier, which scales updates."""
        rate = self.plan.learning_rate / self.generator.mapping_lr_mul
        optimizer = torch.optim.Adam(self.generator.style.parameters(), lr=rate, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.plan.steps, eta_min=rate / 100)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class MappingBatches:
    """Standard normal z with the w of the factors they stand for."""

    def __init__(self, latent: LatentFactors, embedding: FactorEmbedding, z_dim: int, seed: int) -> None:
        self.latent, self.embedding, self.z_dim, self.seed = latent, embedding, z_dim, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """z and w of one step."""
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + step)
        z = torch.randn(BATCH_SIZE, self.z_dim, generator=stream)
        return z, self.embedding.w(self.latent.factors(z))
