"""The mini generator, first stage: synthesis by regression from embedded factors onto renders."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.world import Render, World

CHANNELS = {4: 128, 8: 128, 16: 96, 32: 64, 64: 32}
Z_DIM = W_DIM = 128
MAPPING_DEPTH = 4
SMALL_FEATURE_WEIGHT = 4.0
"""Extra weight of the pixels of an attribute that covers little of the picture; else eyes and mouths stay soft."""

NULL_NOISE = 0.8
"""Largest standard deviation, per coordinate of w, of the noise in the null space of the embedding."""


def new_generator(resolution: int = 64) -> Generator:
    """An untrained generator of the mini tier's size."""
    return Generator(resolution, z_dim=Z_DIM, w_dim=W_DIM, n_mlp=MAPPING_DEPTH, channels=CHANNELS)


def pixel_weights(render: Render) -> Tensor:
    """Weights [B, 1, H, W] of mean about 1: attributes whose mask is small weigh more."""
    pixels = render.images.shape[2] * render.images.shape[3]
    weights = torch.ones(len(render.images), 1, *render.images.shape[2:])
    for mask in render.masks.values():
        share = mask.float().mean((1, 2), keepdim=True) * pixels / 200.0
        extra = SMALL_FEATURE_WEIGHT * mask / share.clamp_min(1.0)
        weights = torch.maximum(weights, 1.0 + extra[:, None] * (share < 1.0)[:, None])
    return weights / weights.mean((1, 2, 3), keepdim=True)


def reconstruction_loss(made: Tensor, render: Render) -> Tensor:
    """Weighted L1, plus L1 after 4x4 pooling, plus L1 of the image gradients."""
    difference = made - render.images
    loss = (difference.abs() * pixel_weights(render)).mean()
    loss = loss + functional.avg_pool2d(difference, 4).abs().mean()
    for axis in (2, 3):
        loss = loss + difference.diff(dim=axis).abs().mean()
    return loss


class GeneratorRegression(pl.LightningModule):
    """Trains ``synthesize`` on (embedded factors, render) pairs.

    Every step draws its batch from the step's number, so a resumed run continues exactly as an undisturbed one.
    """

    def __init__(
        self, world: World, steps: int, batch_size: int = 8, lr: float = 8e-3, seed: int = 0, ema_decay: float = 0.998
    ) -> None:
        super().__init__()
        self.world, self.steps, self.batch_size, self.lr, self.seed = world, steps, batch_size, lr, seed
        self.embedding = FactorEmbedding(world.space, W_DIM)
        torch.manual_seed(seed)
        self.generator = new_generator(world.resolution)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema_decay)
        )

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """One batch of fresh renders."""
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + self.global_step)
        factors = self.world.sample(self.batch_size, stream)
        with torch.no_grad():
            render = self.world.render(factors)
        codes = self.embedding.w(factors)[:, None].expand(-1, self.generator.num_rows, -1)
        # Directions that stand for no factor must change nothing, in any row: editors will wander into them.
        strength = NULL_NOISE * torch.rand(self.batch_size, 1, 1, generator=stream)
        codes = codes + strength * self.embedding.null_noise(tuple(codes.shape[:2]), stream)
        loss = reconstruction_loss(self.generator.synthesize(codes, noise="none"), render)
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Follow the weights."""
        self.average.update_parameters(self.generator)

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay to 2 % of the rate, after a short warm-up."""
        optimizer = torch.optim.Adam(self.generator.parameters(), lr=self.lr, betas=(0.9, 0.99))

        def rate(step: int) -> float:
            warm = min(1.0, (step + 1) / 100)
            return warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / self.steps))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
