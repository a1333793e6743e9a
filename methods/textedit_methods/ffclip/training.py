"""Training of the FFCLIP mapper: one network for all phrases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.models.batches import images_at_once
from textedit_bench.training import EditorModule
from textedit_bench.training.data import Batch
from textedit_methods.ffclip.losses import (
    LossWeights,
    background_term,
    clip_term,
    embedding_term,
    identity_term,
    latent_term,
    pixel_term,
)
from textedit_methods.ffclip.network import DynamicMapper

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing


def active_weights(weights: LossWeights, domain: Domain) -> tuple[LossWeights, list[str]]:
    """The weights, with terms off whose network the domain lacks, and one line of reason for each of those."""
    off = [
        (term, role)
        for term, role in (("identity", "identity"), ("background", "parser"))
        if getattr(weights, term) and not domain.has(role)
    ]
    kept = LossWeights(**{**vars(weights), **{term: 0.0 for term, _ in off}})
    return kept, [f"the {term} term is off: tier {domain.tier} of {domain.name} has no {role}" for term, role in off]


class FFCLIPTraining(EditorModule):
    """The loss of FFCLIP on codes and phrases.

    What the terms need of the unedited images depends on the code alone, so it is computed once, before training.

    Args:
        network: the mapper to train.
        domain: frozen generator, CLIP and identity network.
        codes: every code of the data module [M, rows, d].
        texts: embeddings of the phrases [P, d], raw.
        weights: of the terms; a term of weight 0 costs nothing.
        clip_preprocessing: how images reach CLIP; ``"published"`` or ``"correct"``.
        titles: the phrases, for previews.
        preview_codes: codes whose edits are drawn, [n, rows, d].
        options: of `EditorModule`.
    """

    sources: dict[str, Tensor]

    def __init__(
        self,
        network: DynamicMapper,
        domain: Domain,
        *,
        codes: Tensor,
        texts: Tensor,
        weights: LossWeights,
        clip_preprocessing: Preprocessing = "published",
        titles: list[str] | None = None,
        preview_codes: Tensor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        self.weights, self.clip_preprocessing = weights, clip_preprocessing
        self.codes, self.texts = codes.cpu(), texts.detach().cpu()
        self.titles, self.preview_codes = titles or [], preview_codes

    def on_fit_start(self) -> None:
        """Embed the unedited images of all codes."""
        super().on_fit_start()
        self._texts_here = self.texts.to(self.device)
        parts = self.codes.split(images_at_once(self.domain.generator.resolution))
        chunks = [self._describe(sent(part, self.device)) for part in parts]
        self.sources = {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}

    @torch.no_grad()
    def _describe(self, codes: Tensor) -> dict[str, Tensor]:
        """What the terms compare with, for codes [B, rows, d]."""
        described: dict[str, Tensor] = {}
        if self.weights.embedding or self.weights.identity:
            images = self.domain.generator.synthesize(codes)
            if self.weights.embedding:
                described["embedding"] = self._embed(images)
            if self.weights.identity:
                described["identity"] = self.domain.identity.embed(images)
        return described or {"none": codes.new_empty(len(codes), 0)}

    def _embed(self, images: Tensor) -> Tensor:
        """Raw CLIP features along the path of the embedding term; as published: bicubic resize with aligned corners."""
        side = self.domain.clip.image_size
        if images.shape[-1] != side and self.clip_preprocessing == "published":
            images = F.interpolate(images, size=(side, side), mode="bicubic", align_corners=True)
        features: Tensor = self.domain.clip.encode_image(images, preprocessing=self.clip_preprocessing)
        return features

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """All terms of weight above 0."""
        weights, domain = self.weights, self.domain
        codes, text = batch["codes"], self._texts_here[batch["choice"]]
        before = {name: value[batch["index"]] for name, value in self.sources.items()}
        delta = network(codes, text)
        edited = domain.generator.synthesize(codes + delta)
        terms: dict[str, Tensor] = {}
        features: Tensor | None = None
        if weights.clip:
            features = domain.clip.encode_image(edited, preprocessing=self.clip_preprocessing)
            terms["clip"] = clip_term(features, text)
        if weights.identity:
            terms["identity"] = identity_term(before["identity"], domain.identity.embed(edited))
        if weights.latent:
            terms["latent"] = latent_term(delta)
        if weights.embedding:
            # at CLIP's own size both resizes are the identity, so the features can be shared
            shared = features if edited.shape[-1] == domain.clip.image_size else None
            terms["embedding"] = embedding_term(before["embedding"], self._embed(edited) if shared is None else shared)
        if weights.background or weights.pixel:
            with torch.no_grad():
                source = domain.generator.synthesize(codes)
            if weights.background:
                parser = cast("Callable[[Tensor], Tensor]", domain.network("parser"))
                with torch.no_grad():
                    classes = parser(source), parser(edited)
                terms["background"] = background_term(source, edited, *classes)
            if weights.pixel:
                terms["pixel"] = pixel_term(source, edited)
        return terms

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Weighted sum."""
        return self.weights.total(terms)

    def preview(self) -> tuple[list[str], Tensor] | None:
        """The inversion and its edit by every phrase (at most ten, spread over the list)."""
        if self.preview_codes is None or len(self.preview_codes) == 0:
            return None
        codes = self.preview_codes.to(self.device)
        network, synthesize = self.trained_network(), self.domain.generator.synthesize
        picked = torch.linspace(0, len(self.texts) - 1, min(10, len(self.texts))).round().long().tolist()
        columns = [synthesize(codes)]
        for choice in picked:
            text = self._texts_here[choice].expand(len(codes), -1)
            columns.append(synthesize(codes + network(codes, text)))
        return ["inversion", *(self.titles[choice] for choice in picked)], torch.stack(columns, dim=1)
