"""Training of the mini generator: mapping network in closed form, then synthesis by regression to renders."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.world import Render, World
from textedit_workshop.worlds.codes import FactorCodes
from textedit_workshop.worlds.embedding import FactorEmbedding
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.mapping import DEPTH, SHAPE, SHAPE_OF, SHAPES, set_mapping
from textedit_workshop.worlds.training.pool import FRESH_SEED

CHANNELS = {4: 128, 8: 128, 16: 96, 32: 64, 64: 32}
"""Channels per resolution of a world of full detail."""
Z_DIM = W_DIM = 128
SMALL_FEATURE_WEIGHT = 4.0
"""Extra weight of the pixels of an attribute that covers little of the picture; else eyes and mouths stay soft."""


def new_generator(resolution: int = 64, detail: float = 1.0) -> Generator:
    """Create an untrained generator of the mini tier's size; ``detail`` scales the channels (see `World.detail`)."""
    return Generator(resolution, z_dim=Z_DIM, w_dim=W_DIM, n_mlp=DEPTH, channels=scaled(CHANNELS, detail))


def scaled(channels: Mapping[int, int], detail: float) -> dict[int, int]:
    """Scale channels per resolution, to multiples of four."""
    return {side: 4 * round(count * detail / 4) for side, count in channels.items()}


def pixel_weights(render: Render) -> Tensor:
    """Return weights [B, 1, H, W] of mean about 1: attributes with small masks have larger weights."""
    pixels = render.images.shape[2] * render.images.shape[3]
    weights = torch.ones(len(render.images), 1, *render.images.shape[2:])
    for mask in render.masks.values():
        share = mask.float().mean((1, 2), keepdim=True) * pixels / 200.0
        extra = SMALL_FEATURE_WEIGHT * mask / share.clamp_min(1.0)
        weights = torch.maximum(weights, 1.0 + extra[:, None] * (share < 1.0)[:, None])
    return weights / weights.mean((1, 2, 3), keepdim=True)


def reconstruction_loss(made: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Compute weighted L1, plus L1 after 4x4 pooling, plus L1 of the image gradients.

    Args:
        made, wanted: images [B, 3, H, W].
        weights: [B, 1, H, W], see `pixel_weights`.
    """
    difference = made - wanted
    loss = (difference.abs() * weights).mean()
    loss = loss + functional.avg_pool2d(difference, 4).abs().mean()
    for axis in (2, 3):
        loss = loss + difference.diff(dim=axis).abs().mean()
    return loss


BATCH_SIZE = 8
EMA_DECAY = 0.998
SEED_STRIDE = 10_000_019


class RegressionBatches:
    """New renders with the codes that represent them; a batch is a function of seed and step."""

    def __init__(self, world: World, codes: FactorCodes, rows: int, seed: int) -> None:
        self.world, self.codes, self.rows, self.seed = world, codes, rows, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return W+ codes [B, rows, w_dim], their target pictures, and the weights of the pixels."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        factors = self.world.sample(BATCH_SIZE, stream)
        render = self.world.render(factors)
        codes = self.codes.w(factors)[:, None] + self.codes.noise(BATCH_SIZE, self.rows, stream)
        return codes, render.images, pixel_weights(render)


class GeneratorRegression(Trained):
    """Trains ``synthesize`` on (embedded factors, render) pairs; ``average`` follows the weights."""

    def __init__(self, plan: Plan, generator: Generator) -> None:
        super().__init__(plan)
        self.generator = generator
        self.average = torch.optim.swa_utils.AveragedModel(
            generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY)
        )

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Reconstruction loss of one batch."""
        codes, wanted, weights = batch
        loss = reconstruction_loss(self.generator.synthesize(codes, noise="none"), wanted, weights)
        self.log("loss", loss)
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Follow the weights."""
        self.average.update_parameters(self.generator)

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay to 2 % of the rate, after a short warm-up."""
        plan = self.plan
        optimizer = torch.optim.Adam(self.generator.parameters(), lr=plan.learning_rate, betas=(0.9, 0.99))

        def rate(step: int) -> float:
            warm = min(1.0, (step + 1) / 100)
            return warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / plan.steps))))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def train(
    world: World, name: str, plan: Plan, cache: Path, *, mapping: str | None = None
) -> tuple[Generator, float, dict[str, Any]]:
    """Compute the mapping network, train synthesis at the codes of whole values, and compute the mean of W.

    These codes do not depend on the mapping's form, so a finished synthesis needs no step under another one.

    Args:
        world: what renders.
        name: the role; there is one.
        plan: of the regression; 0 steps keep the synthesis of its initial weights.
        cache: not needed, every batch is rendered afresh.
        mapping: a key of `SHAPES`; the world's own if None.

    Returns:
        Network, seconds of training, and the mean absolute distance to fresh renders on the scale [-1, 1].
    """
    embedding, latent = FactorEmbedding(world.space, W_DIM), LatentFactors(world.space, Z_DIM)
    generator = new_generator(world.resolution, world.detail)
    plan.prepare(generator)
    set_mapping(generator, embedding, latent, SHAPES[mapping or SHAPE_OF.get(world.name, SHAPE)])
    codes = FactorCodes(world.space, copy.deepcopy(generator).requires_grad_(False))
    module = GeneratorRegression(plan, generator)
    batches = RegressionBatches(world, codes, generator.num_rows, plan.seed)
    seconds = fit(module, batches, plan) if plan.steps else 0.0
    generator.load_state_dict(module.average.module.state_dict())
    generator.eval().requires_grad_(False)
    generator.estimate_w_mean()
    stream = torch.Generator().manual_seed(FRESH_SEED)
    factors = world.sample(256, stream)
    made = generator.synthesize(codes.w(factors)).clamp(-1.0, 1.0)
    return generator, seconds, {"l1_to_renders": float((made - world.render(factors).images).abs().mean())}
