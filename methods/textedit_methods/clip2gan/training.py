"""Training of CLIP2GAN: mapping network and critic take turns; no text is involved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.training import EditorModule
from textedit_bench.training.data import Batch
from textedit_methods.clip2gan.losses import (
    LossWeights,
    consistency_term,
    critic_loss,
    diversity_term,
    generator_term,
    gradient_penalty,
    identity_term,
    reconstruction_term,
)
from textedit_methods.clip2gan.network import ClipMapping
from textedit_methods.clip2gan.noise import SIGMA, add_noise
from textedit_methods.clip2gan.perceptual import Distance
from textedit_methods.clip2gan.photos import TrainingPhotos, shrink

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.discriminator import Discriminator

ADVERSARIAL_BETAS = (0.0, 0.9)
"""Adam's betas of the critic: WGAN-GP practice."""


def active_weights(weights: LossWeights, domain: Domain) -> tuple[LossWeights, list[str]]:
    """The weights, with terms off whose network the domain lacks, and one line of reason for each of those."""
    if weights.identity and not domain.has("identity"):
        reason = f"the identity term is off: tier {domain.tier} of {domain.name} has no identity network"
        return LossWeights(**{**vars(weights), "identity": 0.0}), [reason]
    return weights, []


class Clip2GANTraining(EditorModule):
    """The loss of CLIP2GAN on photos and their CLIP features.

    A batch's ``codes`` are the features [B, V, d] of a photo's V views (as it is, mirrored), its ``choice`` is the
    view, and its ``photos`` are the photos as they are. Two optimisers take turns, so the optimisation is manual.

    Args:
        network: the mapping network.
        domain: frozen generator and identity network.
        critic: trained against the network; unused where the adversarial weight is 0.
        clip: the CLIP of the features; only the consistency term looks through it.
        photos: position -> picture.
        perceptual: distance of the perceptual term; None where its weight is 0.
        weights: of the terms; a term of weight 0 costs nothing.
        noise, sigma: of the diversity term's second feature, and of the previews of texts.
        adversarial_start: first epoch, from 0, with adversarial and diversity terms.
        penalty: weight of the gradient penalty.
        penalty_every: critic steps between two penalties; the weight is raised as much (1: every step).
        critic_learning_rate: of the critic's Adam.
        max_norm: largest norm of the network's gradient; 0 for no limit.
        preview_features: text and picture features whose pictures are drawn, with ``preview_titles``.
        options: of `EditorModule`.
    """

    def __init__(
        self,
        network: ClipMapping,
        domain: Domain,
        *,
        critic: Discriminator,
        clip: ClipModel,
        photos: TrainingPhotos,
        perceptual: Distance | None,
        weights: LossWeights,
        noise: str = "multiplicative",
        sigma: float = SIGMA,
        adversarial_start: int = 0,
        penalty: float = 10.0,
        penalty_every: int = 1,
        critic_learning_rate: float = 1e-4,
        max_norm: float = 0.0,
        preview_titles: Sequence[str] = (),
        preview_features: Tensor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        self.automatic_optimization = False
        self.critic = critic.train().requires_grad_(True)
        self.loss, self.noise, self.sigma = weights, noise, sigma
        self.adversarial_start, self.penalty, self.penalty_every = adversarial_start, penalty, penalty_every
        self.critic_learning_rate, self.max_norm = critic_learning_rate, max_norm
        self.photos, self.perceptual = photos, perceptual
        self.preview_titles, self.preview_features = list(preview_titles), preview_features
        self._frozen = {"clip": clip}  # in a dict, so that Lightning does not take it for a part of this module
        self._rebuilt: Tensor | None = None
        self._real: Tensor | None = None

    def on_fit_start(self) -> None:
        """Bring the frozen networks to this process's device, CLIP among them where it is not the domain's."""
        super().on_fit_start()
        self._frozen["clip"].to(self.device)

    @property
    def late(self) -> bool:
        """Whether the adversarial and the diversity term have begun."""
        return self.current_epoch >= self.adversarial_start

    # -- the loss ----------------------------------------------------------------------------------------------------
    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """All terms of weight above 0 that have begun."""
        weights, domain = self.loss, self.domain
        features = batch["codes"][torch.arange(len(batch["codes"]), device=self.device), batch["choice"]]
        real = self._photos(batch)
        rebuilt = self._pictures(network(features))
        self._real, self._rebuilt = real, rebuilt.detach()
        terms: dict[str, Tensor] = {}
        if weights.reconstruction:
            terms["reconstruction"] = reconstruction_term(real, rebuilt)
        if weights.perceptual and self.perceptual is not None:
            terms["perceptual"] = self.perceptual(real, rebuilt)
        if weights.identity:
            with torch.no_grad():
                who = domain.identity.embed(real)
            terms["identity"] = identity_term(who, domain.identity.embed(rebuilt))
        if weights.consistency:
            terms["consistency"] = consistency_term(features, self._frozen["clip"].encode_image(rebuilt))
        if self.late and weights.adversarial:
            terms["adversarial"] = generator_term(self.critic(rebuilt))
        if self.late and weights.diversity:
            noisy = add_noise(features, self.noise, self.sigma, self.step_stream())
            moved = self._pictures(network(noisy))
            length = features.norm(dim=-1, keepdim=True)
            terms["diversity"] = diversity_term(features / length, noisy / length, rebuilt, moved)
        return terms

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Weighted sum."""
        return self.loss.total(terms)

    def _photos(self, batch: Batch) -> Tensor:
        """The batch's photos, mirrored where its view says so."""
        images = batch["photos"]
        mirrored = (batch["choice"] == 1).view(-1, 1, 1, 1)
        return torch.where(mirrored, images.flip(-1), images)

    def _pictures(self, codes: Tensor) -> Tensor:
        return shrink(self.domain.generator.synthesize(codes), self.photos.side)

    # -- the two steps -----------------------------------------------------------------------------------------------
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One step of the network, then, once the adversarial term has begun, one of the critic."""
        players: Any = self.optimizers()
        optimizer, critic_optimizer = players
        self.critic.requires_grad_(False)  # the network's loss must not leave gradients in the critic
        terms = self.terms(self.network, batch)
        loss = self.total(terms)
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.max_norm:
            self.clip_gradients(optimizer, self.max_norm, "norm")
        optimizer.step()
        self.critic.requires_grad_(True)
        if self.late and self.loss.adversarial:
            terms = {**terms, **self._critic_step(critic_optimizer)}
        self._log("training", terms, loss, batch)
        return loss.detach()

    def _critic_step(self, optimizer: Any) -> dict[str, Tensor]:
        assert self._real is not None and self._rebuilt is not None
        # second derivatives in half precision overflow
        with torch.autocast(self.device.type, enabled=False):
            real, rebuilt = self._real.float(), self._rebuilt.float()
            terms = {"critic": critic_loss(self.critic(real), self.critic(rebuilt))}
            loss = terms["critic"]
            if self.global_step % self.penalty_every == 0:
                share = sent(torch.rand(len(real), generator=self.step_stream()), self.device)
                terms["gradient_penalty"] = gradient_penalty(self.critic, real, rebuilt, share)
                loss = loss + self.penalty * self.penalty_every * terms["gradient_penalty"]
        optimizer.zero_grad()
        self.manual_backward(loss)
        # the optimiser itself, not Lightning's wrapper: a step of the run is one of the mapping network
        optimizer.optimizer.step()
        return {name: value.detach() for name, value in terms.items()}

    def configure_optimizers(self) -> Any:
        """Adam for both; milestones lower the network's rate."""
        [optimizer], schedules = super().configure_optimizers()
        critic = torch.optim.Adam(self.critic.parameters(), lr=self.critic_learning_rate, betas=ADVERSARIAL_BETAS)
        return [optimizer, critic], schedules

    def on_train_epoch_end(self) -> None:
        """Schedules step here: Lightning leaves them alone where the optimisation is manual."""
        schedules = self.lr_schedulers()
        for schedule in schedules if isinstance(schedules, list) else [schedules]:
            if schedule is not None:
                schedule.step()

    # -- pictures ----------------------------------------------------------------------------------------------------
    def preview(self) -> tuple[list[str], Tensor] | None:
        """Held-out photos and what is rebuilt of them, then pictures made of texts, each row with its own noise."""
        if self.preview_features is None or len(self.preview_features) == 0:
            return None
        network = self.trained_network()
        rows = len(self.preview_features)
        index = torch.arange(len(self.photos) - rows, len(self.photos))
        columns = [self.photos(index).to(self.device)]
        columns.append(self._pictures(network(self.preview_features.to(self.device))))
        for title in self.preview_titles:
            text = self._frozen["clip"].encode_text([title]).expand(rows, -1)
            noisy = add_noise(text, self.noise, self.sigma, torch.Generator().manual_seed(self.seed))
            columns.append(self._pictures(network(noisy)))
        return ["photo", "rebuilt", *self.preview_titles], torch.stack(columns, dim=1)
