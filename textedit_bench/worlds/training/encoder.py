"""The mini encoder in two stages: first w by regression from renders, then W+ through the frozen generator."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.networks.encoder import MiniEncoder
from textedit_bench.worlds.training.generator import W_DIM, reconstruction_loss
from textedit_bench.worlds.world import World

OFFSET_WEIGHT = 0.02
"""Weight of the mean square of the row offsets: they keep W+ near W, where edits work (e4e's delta loss)."""
IDENTITY_WEIGHT = 0.5
CODE_WEIGHT = 0.2


def _cosine(optimizer: torch.optim.Optimizer, steps: int) -> Any:
    def rate(step: int) -> float:
        return min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps))))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class CodeRegression(pl.LightningModule):
    """Stage one: images -> w, without a generator, so that it can be trained beside one."""

    def __init__(
        self, world: World, rows: int, steps: int, batch_size: int = 48, lr: float = 2e-3, seed: int = 1
    ) -> None:
        super().__init__()
        self.world, self.steps, self.batch_size, self.lr, self.seed = world, steps, batch_size, lr, seed
        self.embedding = FactorEmbedding(world.space, W_DIM)
        torch.manual_seed(seed)
        self.encoder = MiniEncoder(rows, W_DIM)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """Mean squared error of w over a batch of fresh renders."""
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + self.global_step)
        factors = self.world.sample(self.batch_size, stream)
        with torch.no_grad():
            images = self.world.render(factors).images
        # A little noise, so that the base code does not hang on single pixels.
        images = images + 0.03 * torch.randn(images.shape, generator=stream)
        loss = (self.encoder(images, with_offsets=False)[:, 0] - self.embedding.w(factors)).square().mean()
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay."""
        return _cosine(torch.optim.Adam(self.encoder.parameters(), lr=self.lr), self.steps)


class CodeRefinement(pl.LightningModule):
    """Stage two: reconstruction through the generator, with row offsets kept small and identity kept.

    Args:
        encoder: the outcome of stage one.
        generator: frozen.
        identity: the guiding identity network, frozen; None leaves its loss out.
    """

    def __init__(
        self,
        world: World,
        encoder: MiniEncoder,
        generator: nn.Module,
        identity: nn.Module | None,
        steps: int,
        batch_size: int = 12,
        lr: float = 5e-4,
        seed: int = 2,
    ) -> None:
        super().__init__()
        self.world, self.steps, self.batch_size, self.lr, self.seed = world, steps, batch_size, lr, seed
        self.embedding = FactorEmbedding(world.space, W_DIM)
        self.encoder = encoder
        # In a list, so that Lightning neither trains nor stores the frozen networks.
        self._frozen: list[Any] = [generator.eval().requires_grad_(False)]
        self._identity: list[Any] = [identity.eval().requires_grad_(False)] if identity is not None else []

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """Reconstruction, identity, code and offset terms on fresh renders."""
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + self.global_step)
        factors = self.world.sample(self.batch_size, stream)
        with torch.no_grad():
            render = self.world.render(factors)
        codes = self.encoder(render.images)
        made = self._frozen[0].synthesize(codes, noise="none")
        loss = reconstruction_loss(made, render)
        loss = loss + CODE_WEIGHT * (codes[:, 0] - self.embedding.w(factors)).square().mean()
        loss = loss + OFFSET_WEIGHT * (codes[:, 1:] - codes[:, :1]).square().mean()
        for network in self._identity:
            similar = (network.embed(made) * network.embed(render.images)).sum(1)
            loss = loss + IDENTITY_WEIGHT * (1.0 - similar).mean()
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Adam with cosine decay."""
        return _cosine(torch.optim.Adam(self.encoder.parameters(), lr=self.lr), self.steps)
