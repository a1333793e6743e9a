"""The mini generator, second stage: the mapping network z -> w, trained alone against factors drawn from z."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.factors import Factors
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


class MappingRegression(pl.LightningModule):
    """Trains ``generator.style`` and nothing else; seconds on one core."""

    def __init__(
        self, world: World, generator: Generator, steps: int, batch_size: int = 512, lr: float = 2e-3, seed: int = 3
    ) -> None:
        super().__init__()
        self.steps, self.batch_size, self.lr, self.seed = steps, batch_size, lr, seed
        self.latent = LatentFactors(world, generator.z_dim)
        self.embedding = FactorEmbedding(world.space, generator.w_dim)
        self.generator = generator
        # The layers' learning-rate multiplier is part of the format; Adam is not slowed by it enough to matter here,
        # but it scales gradients, so the rate is divided by it.
        self.rate = lr / generator.mapping_lr_mul

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """Mean squared error of w."""
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + self.global_step)
        z = torch.randn(self.batch_size, self.generator.z_dim, generator=stream)
        loss = (self.generator.map(z) - self.embedding.w(self.latent.factors(z))).square().mean()
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay."""
        optimizer = torch.optim.Adam(self.generator.style.parameters(), lr=self.rate, betas=(0.9, 0.99))

        def rate(step: int) -> float:
            return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / self.steps)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
