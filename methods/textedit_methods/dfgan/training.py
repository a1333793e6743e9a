"""Train DF-GAN on photos and their captions: generator and critic take turns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import RunOptions, TrainingPhotos
from textedit_bench.training.adversarial import CRITIC_BETAS, AdversarialModule
from textedit_bench.training.captions import caption_features
from textedit_bench.training.data import Batch, stream
from textedit_bench.training.planned import planned_data, planned_rates
from textedit_methods.dfgan.network import Critic, Generator, sentence_vectors

if TYPE_CHECKING:
    from textedit_methods.dfgan.method import DFGAN

_VALIDATION_PHOTOS = 64
_PREVIEW_TEXTS = 6


def plan_training(editor: DFGAN, run: RunOptions, _prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """One run over photos of the training split; the last network is kept, as losses of a game tell no best one.

    Raises:
        UserError: photos without captions, or a precision in which the penalty overflows.
    """
    values, domain = editor.values, editor.domain
    if str(run.precision) == "16-mixed":
        raise UserError("precision: the gradient penalty overflows in 16-mixed; valid: 32-true, bf16-mixed")
    network = editor.seeded_network(run.seed)
    photos = TrainingPhotos(domain, values.num_photos, network.side, run.folder / "photos")
    features, name = caption_features(domain, photos, values.captions, run.folder / "photos")
    options = {"choice_weights": torch.ones(values.captions), "beside": lambda index, _: {"photos": photos(index)}}
    data, epochs = planned_data(features, values, run, _VALIDATION_PHOTOS, fewer=True, **options)
    module = DFGANTraining(network, editor, run)
    # as it is loaded: the order of memory decides the last digits
    finish = partial(nn.Module.to, memory_format=torch.contiguous_format)
    return TrainingPlan(module, data, epochs, learnt_from={"captions": name}, keep="last", finish=finish)


# -- losses ----------------------------------------------------------------------------------------------------------
def matching_penalty(logits: Tensor, images: Tensor, sentences: Tensor) -> Tensor:
    """Compute twice the mean sixth power of the gradient's norm, over a picture and its sentence together (MA-GP).

    Args:
        logits: of real pictures with their own sentences, [B, 1, 1, 1].
        images: [B, 3, H, W], which the logits depend on.
        sentences: [B, d], likewise.
    """
    gradients = torch.autograd.grad(logits.sum(), (images, sentences), create_graph=True)
    norms = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1).norm(dim=1)
    return 2 * norms.pow(6).mean()


def critic_terms(critic: Critic, images: Tensor, fake: Tensor, sentences: Tensor, penalty: bool) -> dict[str, Tensor]:
    """Compute the critic's hinge loss, and the penalty if asked for.

    Real pictures should be accepted with their sentences; generated ones, and real ones with another picture's
    sentence, refused.

    Args:
        critic: the critic.
        images: real pictures [B, 3, H, W].
        fake: generated ones, without their graph.
        sentences: [B, d], of both.
        penalty: whether to compute it.
    """
    images, sentences = (given.detach().requires_grad_(penalty) for given in (images, sentences))
    features = critic.netD(images)
    on_real = critic.netC(features, sentences)
    on_mismatched = critic.netC(features.roll(-1, dims=0), sentences)
    refused = (F.relu(1 + logits).mean() for logits in (critic(fake, sentences), on_mismatched))
    terms = {"critic": F.relu(1 - on_real).mean() + sum(refused) / 2}
    return {**terms, "penalty": matching_penalty(on_real, images, sentences)} if penalty else terms


# -- the run ---------------------------------------------------------------------------------------------------------
class DFGANTraining(AdversarialModule):
    """Generator and critic on photos and features of their captions.

    A batch's ``codes`` are CLIP's features [B, captions, d], its ``choice`` is the caption, and its ``photos`` are the
    photos.

    Args:
        network: the generator.
        editor: whose settings and CLIP to use.
        run: its seed is that of weights and draws; ``preview_images`` are drawn of each of some training texts.
    """

    critic: Critic

    def __init__(self, network: Generator, editor: DFGAN, run: RunOptions) -> None:
        values = editor.values
        super().__init__(
            # CPUs compute convolutions of few channels a quarter faster in this order
            network.to(memory_format=torch.channels_last),
            editor.domain,
            critic_learning_rate=values.critic_learning_rate,
            optimizer=partial(torch.optim.Adam, betas=CRITIC_BETAS),
            weights={"adversarial": 1.0},
            **planned_rates(values, run),
        )
        self.values, self.previews = values, run.preview_images
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            critic = Critic(network.widths[::-1], network.sentence_dim)
        self.critic = critic.to(memory_format=torch.channels_last)

    def _sentences(self, batch: Batch) -> Tensor:
        """The drawn captions' sentence vectors."""
        return sentence_vectors(batch["codes"][torch.arange(len(batch["codes"]), device=self.device), batch["choice"]])

    def _noise(self, count: int, draws: torch.Generator) -> Tensor:
        return sent(torch.randn(count, self.values.noise_dim, generator=draws), self.device)

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Of validation: the critic's view, and how often the guiding CLIP finds a picture's own caption (logged)."""
        sentences = self._sentences(batch)
        pictures = network(self._noise(len(sentences), stream("validation", self.seed)), sentences)
        seen = F.normalize(self.domain.clip.encode_image(pictures), dim=-1) @ F.normalize(sentences, dim=-1).T
        found = seen.argmax(1) == torch.arange(len(seen), device=self.device)
        return {"adversarial": -self.critic(pictures, sentences).mean(), "own_caption": found.float().mean()}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Run one step of the critic, then one of the generator, against the same pictures."""
        draws, sentences = self.step_stream(), self._sentences(batch)
        real = batch["photos"].contiguous(memory_format=torch.channels_last)
        if self.values.flip:
            mirrored = sent(torch.rand(len(real), 1, 1, 1, generator=draws) < 0.5, self.device)
            real = torch.where(mirrored, real.flip(-1), real)
        fake = self.network(self._noise(len(sentences), draws), sentences)
        critics = self._critic_step(real, fake.detach(), sentences)
        terms, loss = self.step_network(lambda: {"adversarial": -self.critic(fake, sentences).mean()})
        self._log("training", {**critics, **terms}, loss, batch)
        return loss.detach()

    def _critic_step(self, real: Tensor, fake: Tensor, sentences: Tensor) -> dict[str, Tensor]:
        every = self.values.penalty_every
        with torch.autocast(self.device.type, enabled=False):  # second derivatives in half precision overflow
            penalty = self.global_step % every == 0
            terms = critic_terms(self.critic, real.float(), fake.float(), sentences.float(), penalty)
            loss = terms["critic"] + every * terms.get("penalty", 0.0)
        return self.step_critic(terms, loss)

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Show pictures of training texts, a column each; a row has one noise."""
        titles = [prompt.target for prompt in self.domain.training_prompts()[:_PREVIEW_TEXTS]]
        if not titles:
            return None
        network, noise = self.trained_network(), self._noise(self.previews, stream("preview", self.seed))
        texts = sentence_vectors(self.domain.clip.encode_text(titles))
        return titles, torch.stack([network(noise, text.expand(len(noise), -1)) for text in texts], dim=1)
