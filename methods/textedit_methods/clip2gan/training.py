"""Training of CLIP2GAN: mapping network and critic alternate on photos, without texts."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.training import identity_term
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import LatentData, RunOptions, TrainingPhotos, loss_weights, training_codes
from textedit_bench.training.adversarial import AdversarialModule
from textedit_bench.training.data import Batch
from textedit_bench.training.kept import kept, kept_path
from textedit_bench.training.photos import shrink
from textedit_bench.training.planned import planned_rates
from textedit_methods.clip2gan import losses
from textedit_methods.clip2gan.codes import fit_rest, regress_codes
from textedit_methods.clip2gan.network import ClipMapping, add_noise, unit

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.clip2gan.method import CLIP2GAN

log = logging.getLogger(__name__)

LARGEST_SIDE = 256
"""Side at which pictures enter the loss; larger ones are averaged down (a second derivative at 1024 is too dear)."""
_VALIDATION_PHOTOS = 64
_PREVIEW_TEXTS = 6


def plan_training(editor: CLIP2GAN, run: RunOptions, _prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """Plan an optional regression to codes, then one run over photos.

    Losses against a moving critic cannot be compared between epochs, and they only join after some: the last network is
    the one to keep, not the one of the lowest validation loss.
    """
    values, domain, folder = editor.values, editor.domain, run.folder / "codes"
    if not values.sigma:  # the diversity term would be zero, and so would its gradient
        raise UserError("sigma: 0 is out of range for a training; valid: above 0")
    if str(run.precision) == "16-mixed":
        raise UserError("precision: the gradient penalty overflows in 16-mixed; valid: 32-true, bf16-mixed")
    late = ("adversarial", "diversity") if values.adversarial_start else ()
    weights = loss_weights("clip2gan", editor.settings, domain, {"identity": "identity"}, late)
    photos = TrainingPhotos(domain, values.num_photos, LARGEST_SIDE, folder)
    features = photo_features(editor, photos, folder)
    held_out = min(_VALIDATION_PHOTOS, len(features) // 4)
    learnt = features[: len(features) - held_out, 0]
    data = LatentData(
        features,
        batch_size=values.batch_size,
        steps_per_epoch=values.steps_per_epoch,
        choice_weights=torch.ones(features.shape[1]),
        validation=held_out,
        seed=run.seed,
        beside=lambda index, _: {"photos": photos(index)},
    )
    network = editor.seeded_network(run.seed)
    network.image_mean.copy_(unit(features).mean((0, 1)))

    def their_codes() -> Tensor:
        return training_codes(domain, "photos", len(photos), run.seed, folder)[: len(learnt)]

    if values.code_steps:
        pairs = sample_pairs(editor, run.seed, folder) if values.code_samples else (learnt, their_codes())
        loss = regress_codes(network, *pairs, values.code_steps, run.seed)
        log.info("clip2gan: regression to the codes ended at a mean squared error of %.3f", loss)
    texts = [card.prompt().words for card in domain.tier_card.prompts if card.split == "train"]
    module = Clip2GANTraining(
        network,
        editor,
        photos=photos,
        preview_titles=texts[:_PREVIEW_TEXTS],
        preview_features=features[len(features) - min(held_out, run.preview_images) :, 0],
        weights=weights,
        milestones=[max(1, int(values.epochs * values.rate_drop))],
        milestone_factor=0.1,
        **planned_rates(values, run),
    )
    return TrainingPlan(
        module,
        data,
        values.epochs,
        learnt_from={"photos": len(photos), "clip": editor.clip_name},
        keep="last",
        finish=partial(fit_rest, features=learnt, codes=their_codes()) if values.rest_rank else None,
    )


# -- what is trained on ----------------------------------------------------------------------------------------------
def photo_features(editor: CLIP2GAN, photos: TrainingPhotos, folder: Path) -> Tensor:
    """Compute CLIP features of all training photos, and of their mirror images if the setting ``flip`` is on.

    Returns:
        [M, 1 or 2, d] float32 on the CPU, as CLIP gives them; kept in ``folder``.
    """
    flip = editor.values.flip

    def encode(index: Tensor) -> Tensor:
        images = sent(photos(index), editor.domain.device)
        views = [images, images.flip(-1)] if flip else [images]
        return torch.stack([editor.image_features(view) for view in views], dim=1)

    path = kept_path(folder, editor.domain, "features", photos.name, editor.clip_name, flip)
    return _encoded(editor.domain, len(photos), encode, path)


def sample_pairs(editor: CLIP2GAN, seed: int, folder: Path) -> tuple[Tensor, Tensor]:
    """Sample the generator: CLIP features of pictures, and their exact codes.

    There are as many as one likes; a few thousand photos are learnt by heart (README).

    Returns:
        Features [M, d] and codes [M, rows, w_dim] of ``code_samples`` samples, float32 on the CPU; kept in ``folder``.
    """
    domain, count = editor.domain, editor.values.code_samples
    codes = training_codes(domain, "samples", count, seed, folder)

    def encode(index: Tensor) -> Tensor:
        return editor.image_features(domain.generator.synthesize(sent(codes[index], domain.device)).clamp(-1, 1))

    axes = domain.digest("generator"), editor.clip_name, count, seed
    return _encoded(domain, count, encode, kept_path(folder, domain, "sample-features", *axes)), codes


@torch.no_grad()
def _encoded(domain: Domain, count: int, encode: Callable[[Tensor], Tensor], path: Path) -> Tensor:
    """Compute features of pictures 0 to ``count`` in batches, cached in a file."""
    parts = torch.arange(count).split(images_at_once(domain.resolution))
    return kept(path, lambda: {"features": torch.cat([encode(index) for index in parts]).cpu()})["features"]


# -- the run ---------------------------------------------------------------------------------------------------------
class Clip2GANTraining(AdversarialModule):
    """The loss of CLIP2GAN on photos and their CLIP features.

    A batch's ``codes`` are the features [B, V, d] of a photo's V views (as it is, mirrored), its ``choice`` is the
    view, and its ``photos`` are the photos as they are.

    Args:
        network: the mapping network.
        editor: whose settings, frozen networks and CLIP to use.
        photos: position -> picture.
        preview_titles, preview_features: texts, and the last photos' features, whose pictures are drawn.
        options: of `EditorModule`; a term of weight 0 costs nothing.
    """

    def __init__(
        self,
        network: ClipMapping,
        editor: CLIP2GAN,
        *,
        photos: TrainingPhotos,
        preview_titles: Sequence[str] = (),
        preview_features: Tensor,
        **options: Any,
    ) -> None:
        values, domain = editor.values, editor.domain
        super().__init__(network, domain, critic_learning_rate=values.critic_learning_rate, **options)
        self.editor, self.values, self.photos = editor, values, photos
        self.critic = losses.make_critic(domain, photos.side, self.seed).train().requires_grad_(True)
        self.perceptual = None
        if self.weights["perceptual"]:
            self.perceptual = losses.perceptual_distance(domain, values.perceptual_network, photos.side)
        self.preview_titles, self.preview_features = list(preview_titles), preview_features
        self._real = self._rebuilt = torch.empty(0)

    def on_fit_start(self) -> None:
        """Move the frozen networks to this process's device, including a CLIP that is not the domain's."""
        super().on_fit_start()
        self.editor.clip.to(self.device)

    @property
    def late(self) -> bool:
        """Whether the adversarial and the diversity term are active."""
        return self.current_epoch >= math.ceil(self.values.epochs * self.values.adversarial_start)

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute all active terms with a weight above 0."""
        weights, domain, values = self.weights, self.domain, self.values
        features = batch["codes"][torch.arange(len(batch["codes"]), device=self.device), batch["choice"]]
        mirrored = (batch["choice"] == 1).view(-1, 1, 1, 1)
        real = torch.where(mirrored, batch["photos"].flip(-1), batch["photos"])
        rebuilt = self._pictures(network(features))
        self._real, self._rebuilt = real, rebuilt.detach()
        terms: dict[str, Tensor] = {}
        if weights["reconstruction"]:
            terms["reconstruction"] = losses.reconstruction_term(real, rebuilt)
        if self.perceptual is not None:
            terms["perceptual"] = self.perceptual(real, rebuilt)
        if weights["identity"]:
            with torch.no_grad():
                who = domain.identity.embed(real)
            terms["identity"] = identity_term(who, domain.identity.embed(rebuilt))
        if weights["consistency"]:
            terms["consistency"] = losses.consistency_term(features, self.editor.clip.encode_image(rebuilt))
        if self.late and weights["adversarial"]:
            terms["adversarial"] = -self.critic(rebuilt).mean()
        if self.late and weights["diversity"]:
            noisy = add_noise(features, values.diversity_noise, values.sigma, self.step_stream())
            moved = self._pictures(network(noisy))
            length = features.norm(dim=-1, keepdim=True)
            terms["diversity"] = losses.diversity_term(features / length, noisy / length, rebuilt, moved)
        return terms

    def _pictures(self, codes: Tensor) -> Tensor:
        return shrink(self.domain.generator.synthesize(codes), self.photos.side)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Run one step of the network, then, once the adversarial term is active, one of the critic."""
        terms, loss = self.step_network(lambda: self.terms(self.network, batch), self.values.gradient_clip)
        if self.late and self.weights["adversarial"]:
            terms = {**terms, **self._critic_step()}
        self._log("training", terms, loss, batch)
        return loss.detach()

    def _critic_step(self) -> dict[str, Tensor]:
        every = self.values.penalty_every
        # second derivatives in half precision overflow
        with torch.autocast(self.device.type, enabled=False):
            real, rebuilt = self._real.float(), self._rebuilt.float()
            terms = {"critic": losses.critic_loss(self.critic(real), self.critic(rebuilt))}
            loss = terms["critic"]
            if self.global_step % every == 0:
                share = sent(torch.rand(len(real), generator=self.step_stream()), self.device)
                terms["gradient_penalty"] = losses.gradient_penalty(self.critic, real, rebuilt, share)
                loss = loss + self.values.gradient_penalty * every * terms["gradient_penalty"]
        return self.step_critic(terms, loss)

    def on_train_epoch_end(self) -> None:
        """Step the schedule, which Lightning does not do in manual optimisation."""
        schedule: Any = self.lr_schedulers()
        schedule.step()

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Show held-out photos and reconstructions, then pictures of texts, each row with its own noise."""
        rows = len(self.preview_features)
        if rows == 0:
            return None
        network, values = self.trained_network(), self.values
        features = [self.preview_features.to(self.device)]
        for title in self.preview_titles:
            text = self.editor.clip.encode_text([title]).expand(rows, -1)
            draw = torch.Generator().manual_seed(self.seed)
            features.append(add_noise(text, values.diversity_noise, values.sigma, draw))
        photos = self.photos(torch.arange(len(self.photos) - rows, len(self.photos))).to(self.device)
        columns = [photos, *(self._pictures(network(given)) for given in features)]
        return ["photo", "rebuilt", *self.preview_titles], torch.stack(columns, dim=1)
