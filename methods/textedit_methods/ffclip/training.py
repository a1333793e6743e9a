"""Training of the FFCLIP mapper: its phrases, the terms of the loss as released, and the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.training import cosine_distance, identity_term
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import LatentData, RunOptions, loss_weights, training_codes
from textedit_bench.training.background import background_term
from textedit_bench.training.code_module import CodeModule, Describe
from textedit_bench.training.data import Batch
from textedit_bench.training.planned import planned_rates
from textedit_methods.ffclip.card import PUBLISHED_PHRASES

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.ffclip.method import FFCLIP

NEEDS = {"identity": "identity", "background": "parser"}
"""Term -> role of the network without which it is off."""
_VALIDATION_CODES = 64
_MILESTONES = (0.5, 0.75, 0.9, 0.95)
_PREVIEW_PHRASES = 10


def plan_training(editor: FFCLIP, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """Plan one run over codes with phrases drawn from the list."""
    values, domain = editor.values, editor.domain
    phrases = training_phrases(domain, prompts)
    network = editor.seeded_network(run.seed)
    weights = loss_weights("ffclip", editor.settings, domain, NEEDS)
    codes = training_codes(domain, values.codes, values.num_codes, run.seed, run.folder / "codes")
    held_out = min(_VALIDATION_CODES, len(codes) // 4)
    data = LatentData(
        codes,
        batch_size=values.batch_size,
        steps_per_epoch=values.steps_per_epoch,
        choice_weights=torch.tensor(list(phrases.values())),
        validation=held_out,
        seed=run.seed,
    )
    module = FFCLIPTraining(
        network,
        domain,
        codes=codes,
        texts={phrase: editor.embed_text(phrase) for phrase in phrases},
        clip_preprocessing=values.clip_preprocessing,
        preview_codes=codes[-held_out:][: run.preview_images],
        weights=weights,
        # The released loop stops one epoch short of the 20 that its milestones are fractions of.
        milestones=[int((values.epochs + 1) * part) for part in _MILESTONES],
        **planned_rates(values, run),
    )
    return TrainingPlan(module, data, values.epochs, values.gradient_clip, {"phrases": phrases})


def training_phrases(domain: Domain, prompts: Sequence[Prompt] | None = None) -> dict[str, int]:
    """Return phrase -> number of its entries in the list.

    Args:
        domain: its card marks training prompts by ``split: train`` or ``trained: true``.
        prompts: train on these instead.

    Raises:
        UserError: the card marks none and no list was published for this data set.
    """
    if prompts is not None:
        if not prompts:
            raise UserError("prompts: FFCLIP needs at least one training prompt, got none")
        return dict(Counter(prompt.words for prompt in prompts))
    marked = dict.fromkeys(prompt.words for prompt in domain.training_prompts())
    published = PUBLISHED_PHRASES.get(domain.name, {})
    if published and set(marked) in (set(), set(published)):
        return dict(published)  # the same phrases, and how often the authors listed each
    if marked:
        return dict.fromkeys(marked, 1)
    raise UserError(
        f"data set {domain.name}, tier {domain.tier}: its card marks no prompt with 'split: train' or 'trained: true', "
        "and FFCLIP published no training list for it"
    )


def clip_term(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Compute the cosine distance of images and texts [B, d], SUMMED over the batch: it grows with the batch size."""
    return cosine_distance(image_features, text_features).sum()


def latent_term(delta: Tensor) -> Tensor:
    """Compute the mean absolute offset over batch, rows and channels (L1; StyleCLIP's mapper uses squares)."""
    return delta.abs().mean()


def embedding_term(source: Tensor, edited: Tensor) -> Tensor:
    """Compute the mean absolute difference of raw CLIP image features [B, d]."""
    return (source.detach() - edited).abs().mean()


def pixel_term(source: Tensor, edited: Tensor) -> Tensor:
    """Compute the mean absolute pixel difference."""
    return (source - edited).abs().mean()


class FFCLIPTraining(CodeModule):
    """The loss of FFCLIP on codes and phrases."""

    def descriptions(self) -> dict[str, Describe]:
        """Also what the embedding term sees."""
        return {**({"embedding": self._embed} if self.weights["embedding"] else {}), **super().descriptions()}

    def _embed(self, images: Tensor) -> Tensor:
        """Compute raw CLIP features for the embedding term; as published: bicubic resize with aligned corners."""
        side = self.domain.clip.image_size
        if images.shape[-1] != side and self.clip_preprocessing == "published":
            images = F.interpolate(images, size=(side, side), mode="bicubic", align_corners=True)
        return self.embed(images)

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute all terms with a weight above 0."""
        weights, domain = self.weights, self.domain
        codes, text = batch["codes"], self._texts_here[batch["choice"]]
        before = {name: value[batch["index"]] for name, value in self.sources.items()}
        delta = network(codes, text)
        edited = domain.generator.synthesize(codes + delta)
        terms: dict[str, Tensor] = {}
        features: Tensor | None = None
        if weights["clip"]:
            features = self.embed(edited)
            terms["clip"] = clip_term(features, text)
        if weights["identity"]:
            terms["identity"] = identity_term(before["identity"], domain.identity.embed(edited))
        if weights["latent"]:
            terms["latent"] = latent_term(delta)
        if weights["embedding"]:
            # At CLIP's own size both resizes are the identity, so the features can be shared.
            shared = features if edited.shape[-1] == domain.clip.image_size else None
            terms["embedding"] = embedding_term(before["embedding"], self._embed(edited) if shared is None else shared)
        if weights["background"] or weights["pixel"]:
            with torch.no_grad():
                source = domain.generator.synthesize(codes)
            if weights["background"]:
                parser = domain.network("parser")
                terms["background"] = background_term(source, edited, parser.hair(source), parser.hair(edited))
            if weights["pixel"]:
                terms["pixel"] = pixel_term(source, edited)
        return terms

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Show the inversion and its edit by some phrases, spread over the list."""
        if len(self.preview_codes) == 0:
            return None
        codes = self.preview_codes.to(self.device)
        network, synthesize = self.trained_network(), self.domain.generator.synthesize
        shown = torch.linspace(0, len(self.texts) - 1, min(_PREVIEW_PHRASES, len(self.texts))).round().long().tolist()
        columns = [synthesize(codes)]
        for choice in shown:
            text = self._texts_here[choice].expand(len(codes), -1)
            columns.append(synthesize(codes + network(codes, text)))
        return ["inversion", *(self.titles[choice] for choice in shown)], torch.stack(columns, dim=1)
