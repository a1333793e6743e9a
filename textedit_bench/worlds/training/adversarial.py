"""The mini generator, third stage: a short adversarial fine-tune, which also gives the discriminator.

Non-saturating loss with lazy R1 (Karras et al. 2020, arXiv 1912.04958, appendix B); the regression of the first stage
stays on, so that w keeps its meaning.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.functional import softplus

from textedit_bench.models.stylegan2 import Discriminator, Generator
from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.training.generator import reconstruction_loss
from textedit_bench.worlds.world import World

DISCRIMINATOR_CHANNELS = {4: 96, 8: 96, 16: 64, 32: 48, 64: 24}
R1_WEIGHT = 2.0
R1_EVERY = 16


def r1_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Mean squared gradient norm of the scores at real images."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


class AdversarialFineTune(pl.LightningModule):
    """Alternates one discriminator and one generator step.

    Args:
        world: renders the real images.
        generator: after stages one and two; only its synthesis is trained.
        regression: weight of the reconstruction loss beside the adversarial one.
    """

    def __init__(
        self,
        world: World,
        generator: Generator,
        steps: int,
        batch_size: int = 8,
        generator_lr: float = 4e-4,
        discriminator_lr: float = 1.5e-3,
        regression: float = 4.0,
        warm_up: int = 200,
        seed: int = 4,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.world, self.steps, self.batch_size, self.seed = world, steps, batch_size, seed
        self.generator_lr, self.discriminator_lr = generator_lr, discriminator_lr
        self.regression, self.warm_up = regression, warm_up
        self.embedding = FactorEmbedding(world.space, generator.w_dim)
        torch.manual_seed(seed)
        self.generator = generator
        self.discriminator = Discriminator(world.resolution, channels=DISCRIMINATOR_CHANNELS)
        self.average = torch.optim.swa_utils.AveragedModel(
            generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
        )

    def training_step(self, batch: Any, batch_index: int) -> None:
        """Discriminator on fresh renders against fakes, then generator."""
        generator_optimizer, discriminator_optimizer = self.optimizers()  # type: ignore[misc,attr-defined]
        # Lightning counts both optimisers' steps.
        turn = self.global_step // 2
        stream = torch.Generator().manual_seed(self.seed * 10_000_019 + turn)
        real = self.world.render(self.world.sample(self.batch_size, stream)).images
        factors = self.world.sample(self.batch_size, stream)
        w = self.embedding.w(factors)

        with torch.no_grad():
            fake = self.generator.synthesize(w, noise="none")
        loss_d = softplus(self.discriminator(fake)).mean()
        if turn % R1_EVERY == 0:
            real = real.requires_grad_(True)
            scores = self.discriminator(real)
            loss_d = loss_d + softplus(-scores).mean() + R1_WEIGHT / 2 * R1_EVERY * r1_penalty(scores, real)
        else:
            loss_d = loss_d + softplus(-self.discriminator(real)).mean()
        discriminator_optimizer.zero_grad()
        self.manual_backward(loss_d)
        discriminator_optimizer.step()

        render = self.world.render(factors)
        made = self.generator.synthesize(w, noise="none")
        fooled = softplus(-self.discriminator(made)).mean()
        # The discriminator learns alone for a while: at first its gradient says nothing.
        weight = 0.0 if turn < self.warm_up else 1.0
        loss_r = reconstruction_loss(made, render)
        generator_optimizer.zero_grad()
        self.manual_backward(weight * fooled + self.regression * loss_r)
        generator_optimizer.step()
        self.average.update_parameters(self.generator)
        self.log_dict({"loss_d": loss_d, "loss_g": fooled, "loss_r": loss_r}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Adam for both; the mapping network is left out."""
        synthesis = [p for name, p in self.generator.named_parameters() if not name.startswith("style.")]
        return (
            torch.optim.Adam(synthesis, lr=self.generator_lr, betas=(0.0, 0.99)),
            torch.optim.Adam(self.discriminator.parameters(), lr=self.discriminator_lr, betas=(0.0, 0.99)),
        )
