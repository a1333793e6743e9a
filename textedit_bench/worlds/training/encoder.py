"""The mini encoder in two stages: first w by regression from renders, then W+ through the frozen generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.factors import Factors
from textedit_bench.worlds.networks.encoder import MiniEncoder
from textedit_bench.worlds.training.fit import Plan, Trained
from textedit_bench.worlds.training.generator import SEED_STRIDE, reconstruction_loss
from textedit_bench.worlds.training.pool import Pool
from textedit_bench.worlds.world import Render, World

CODE_BATCH, REFINE_BATCH = 64, 12
NOISE = 0.03
"""Standard deviation of the noise on stage-one pictures, so that the base code does not hang on single pixels."""
OFFSET_WEIGHT = 0.02
"""Weight of the mean square of the row offsets: they keep W+ near W, where edits work (e4e's delta loss)."""
IDENTITY_WEIGHT = 0.5
CODE_WEIGHT = 0.2


class CodeBatches:
    """Pictures of a pool with their embedded factors."""

    def __init__(self, pool: Pool, embedding: FactorEmbedding, seed: int) -> None:
        self.pool, self.embedding, self.seed = pool, embedding, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Images and w of one step."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        index = torch.randint(len(self.pool), (CODE_BATCH,), generator=stream)
        images = self.pool.images(index)
        noisy = images + NOISE * torch.randn(images.shape, generator=stream)
        return noisy, self.embedding.w(self.pool.factors[index])


class CodeRegression(Trained):
    """Stage one: images -> w, without a generator, so that it can be trained beside one."""

    def __init__(self, plan: Plan, encoder: MiniEncoder) -> None:
        super().__init__(plan)
        self.encoder = encoder

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Mean squared error of w."""
        images, w = batch
        loss = (self.encoder(images, with_offsets=False)[:, 0] - w).square().mean()
        self.log("loss", loss)
        return loss


class RefinementBatches:
    """Fresh renders with their factors."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed

    def __call__(self, step: int) -> tuple[Factors, Render]:
        """Factors and pictures of one step."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        factors = self.world.sample(REFINE_BATCH, stream)
        return factors, self.world.render(factors)


class CodeRefinement(Trained):
    """Stage two: reconstruction through the generator, with row offsets kept small and identity kept.

    Args:
        encoder: the outcome of stage one.
        generator: frozen.
        identity: the guiding identity network, frozen; None leaves its loss out.
    """

    def __init__(
        self,
        plan: Plan,
        encoder: MiniEncoder,
        embedding: FactorEmbedding,
        generator: nn.Module,
        identity: nn.Module | None,
    ) -> None:
        super().__init__(plan)
        self.encoder, self.embedding = encoder, embedding
        # In a list, so that Lightning neither trains nor stores the frozen networks.
        frozen = [network for network in (generator, identity) if network is not None]
        self._frozen: list[Any] = [network.eval().requires_grad_(False) for network in frozen]

    def training_step(self, batch: tuple[Factors, Render]) -> Tensor:
        """Reconstruction, identity, code and offset terms on fresh renders."""
        factors, render = batch
        codes = self.encoder(render.images)
        made = self._frozen[0].synthesize(codes, noise="none")
        loss = reconstruction_loss(made, render)
        self.log("reconstruction", loss)
        loss = loss + CODE_WEIGHT * (codes[:, 0] - self.embedding.w(factors)).square().mean()
        loss = loss + OFFSET_WEIGHT * (codes[:, 1:] - codes[:, :1]).square().mean()
        for network in self._frozen[1:]:
            similar = (network.embed(made) * network.embed(render.images)).sum(1).mean()
            self.log("identity", similar)
            loss = loss + IDENTITY_WEIGHT * (1.0 - similar)
        return loss
