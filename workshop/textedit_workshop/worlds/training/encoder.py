"""The mini encoder in two stages: first w by regression from renders, then W+ through the frozen generator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.worlds.networks.encoder import WIDTHS, MiniEncoder
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.codes import FactorCodes
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.generator import SEED_STRIDE, pixel_weights, reconstruction_loss
from textedit_workshop.worlds.training.pool import FRESH_SEED, POOL_SEED, POOL_SIZE, Pool, cached_pool

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator

CODE_BATCH, REFINE_BATCH = 64, 12
CODE_STEPS, CODE_RATE = 1600, 3e-3
NOISE = 0.03
"""Standard deviation of the noise on stage-one pictures, so that the base code does not hang on single pixels."""
OFFSET_WEIGHT = 0.02
"""Weight of the mean square of the row offsets: they keep W+ near W, where edits work (e4e's delta loss)."""
IDENTITY_WEIGHT = 0.5
CODE_WEIGHT = 0.2


class CodeBatches:
    """Pictures of a pool with codes of their factors."""

    def __init__(self, pool: Pool, codes: FactorCodes, seed: int) -> None:
        self.pool, self.codes, self.seed = pool, codes, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images and w of one step."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        index = torch.randint(len(self.pool), (CODE_BATCH,), generator=stream)
        images = self.pool.images(index)
        noisy = images + NOISE * torch.randn(images.shape, generator=stream)
        return noisy, self.codes.w(self.pool.factors[index])


class CodeRegression(Trained):
    """Stage one: from images to w, without a generator, so that both can be trained at the same time."""

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
    """New renders with the codes that represent them."""

    def __init__(self, world: World, codes: FactorCodes, seed: int) -> None:
        self.world, self.codes, self.seed = world, codes, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return w, pictures and pixel weights of one step."""
        stream = torch.Generator().manual_seed(self.seed * SEED_STRIDE + step)
        factors = self.world.sample(REFINE_BATCH, stream)
        render = self.world.render(factors)
        return self.codes.w(factors), render.images, pixel_weights(render)


class CodeRefinement(Trained):
    """Stage two: reconstruction through the generator, with small row offsets and preserved identity.

    Args:
        encoder: the outcome of stage one.
        generator: frozen.
        identity: the guiding identity network, frozen; None leaves its loss out.
    """

    def __init__(
        self,
        plan: Plan,
        encoder: MiniEncoder,
        generator: nn.Module,
        identity: nn.Module | None,
    ) -> None:
        super().__init__(plan)
        self.encoder = encoder
        # In a list, so that Lightning neither trains nor stores the frozen networks.
        frozen = [network for network in (generator, identity) if network is not None]
        self._frozen: list[Any] = [network.eval().requires_grad_(False) for network in frozen]

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Reconstruction, identity, code and offset terms on fresh renders."""
        w, images, weights = batch
        codes = self.encoder(images)
        made = self._frozen[0].synthesize(codes, noise="none")
        loss = reconstruction_loss(made, images, weights)
        self.log("reconstruction", loss)
        loss = loss + CODE_WEIGHT * (codes[:, 0] - w).square().mean()
        loss = loss + OFFSET_WEIGHT * (codes[:, 1:] - codes[:, :1]).square().mean()
        for network in self._frozen[1:]:
            similar = (network.embed(made) * network.embed(images)).sum(1).mean()
            self.log("identity", similar)
            loss = loss + IDENTITY_WEIGHT * (1.0 - similar)
        return loss


def train(
    world: World, name: str, plan: Plan, cache: Path, *, generator: Generator, identity: Any
) -> tuple[MiniEncoder, float, dict[str, Any]]:
    """Train both stages.

    Args:
        world: what renders.
        name: the role; there is one.
        plan: of stage two; stage one has its own length and rate.
        cache: where rendered pools are kept.
        generator: frozen, finished.
        identity: the guiding identity network, frozen.

    Returns:
        Network, seconds of both stages, and the mean absolute distance of inversions to fresh renders on [-1, 1].
    """
    codes = FactorCodes(world.space, generator)
    encoder = MiniEncoder(
        generator.num_rows, generator.w_dim, [4 * round(width * world.detail / 4) for width in WIDTHS]
    )
    first = replace(plan, steps=CODE_STEPS, folder=plan.folder / "codes", learning_rate=CODE_RATE)
    pool = cached_pool(world, POOL_SIZE, POOL_SEED, cache)
    seconds = fit(CodeRegression(first, encoder), CodeBatches(pool, codes, plan.seed), first)
    refinement = CodeRefinement(plan, encoder, generator, identity)
    seconds += fit(refinement, RefinementBatches(world, codes, plan.seed), plan)
    encoder.eval().requires_grad_(False)
    images = world.render(world.sample(256, torch.Generator().manual_seed(FRESH_SEED))).images
    made = generator.synthesize(encoder.encode(images)).clamp(-1.0, 1.0)
    return encoder, seconds, {"l1_of_inversions": float((made - images).abs().mean())}
