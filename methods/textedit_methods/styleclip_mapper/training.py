"""Training of mappers: independent networks, one per phrase, that share batches of codes and rendering passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.models.batches import images_at_once
from textedit_bench.training import EditorModule
from textedit_bench.training.data import Batch
from textedit_methods.styleclip_mapper.losses import clip_term, identity_term, latent_term
from textedit_methods.styleclip_mapper.network import STEP, Mapper, StyleMapper
from textedit_methods.styleclip_mapper.ranger import Ranger

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing


class MapperTraining(EditorModule):
    """The loss of StyleCLIP's mapper, for several phrases at a time.

    Every mapper sees the same codes; their edits are rendered and embedded together. The loss is the SUM over the
    mappers, so each gets exactly the gradient it would get alone.

    Args:
        mappers: one per phrase.
        domain: frozen generator, CLIP and identity network.
        codes: every code of the data module [M, rows, d].
        texts: raw CLIP embeddings of the phrases [P, d].
        weights: of the terms ``clip``, ``identity`` and ``latent``; a term of weight 0 costs nothing.
        clip_preprocessing: how images reach CLIP; ``"published"`` or ``"correct"``.
        optimizer: ``"ranger"`` or ``"adam"``.
        total_steps, final_rate: the rate falls along a cosine to ``final_rate`` of itself over so many steps.
        titles: the phrases, for previews.
        preview_codes: codes whose edits are drawn, [n, rows, d].
        options: of `EditorModule`.
    """

    def __init__(
        self,
        mappers: Sequence[Mapper],
        domain: Domain,
        *,
        codes: Tensor,
        texts: Tensor,
        weights: dict[str, float],
        clip_preprocessing: Preprocessing = "published",
        optimizer: str = "ranger",
        total_steps: int = 1,
        final_rate: float = 1.0,
        titles: Sequence[str] = (),
        preview_codes: Tensor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(nn.ModuleList(mappers), domain, **options)
        self.space = mappers[0].space
        self.widths = mappers[0].widths if isinstance(mappers[0], StyleMapper) else None
        self.weights, self.clip_preprocessing, self.optimizer = weights, clip_preprocessing, optimizer
        self.total_steps, self.final_rate = total_steps, final_rate
        self.codes, self.texts = codes.cpu(), texts.detach().cpu()
        self.titles, self.preview_codes = list(titles), preview_codes

    def on_fit_start(self) -> None:
        """Identity vectors of the unedited images, computed once for all steps and prompts."""
        super().on_fit_start()
        self._texts_here = self.texts.to(self.device)
        self._identities = self._describe() if self.weights["identity"] else None

    @torch.no_grad()
    def _describe(self) -> Tensor:
        parts = self.codes.split(images_at_once(self.domain.generator.resolution))
        synthesize, embed = self.domain.generator.synthesize, self.domain.identity.embed
        return torch.cat([embed(synthesize(sent(part, self.device))) for part in parts])

    def edit(self, network: nn.Module, codes: Tensor) -> tuple[Tensor, Tensor]:
        """W+ codes [B, rows, d] -> images [P, B, 3, H, W] of every mapper's edit, and the steps [P, B, ...] taken."""
        generator = self.domain.generator
        source = generator.to_style(codes) if self.space == "s" else codes
        mappers: Any = network
        steps = torch.stack([STEP * mapper(source) for mapper in mappers])
        edited = (source + steps).flatten(0, 1)
        images = generator.synthesize_style(edited) if self.space == "s" else generator.synthesize(edited)
        return images.unflatten(0, steps.shape[:2]), steps

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """All terms of weight above 0; means over mappers and batch."""
        images, steps = self.edit(network, batch["codes"])
        count = images.shape[:2]
        flat = images.flatten(0, 1)
        terms: dict[str, Tensor] = {}
        if self.weights["clip"]:
            features = self.domain.clip.encode_image(flat, preprocessing=self.clip_preprocessing)
            terms["clip"] = clip_term(features.unflatten(0, count), self._texts_here[:, None])
        if self._identities is not None:
            before = self._identities[batch["index"]]
            terms["identity"] = identity_term(before, self.domain.identity.embed(flat).unflatten(0, count))
        if self.weights["latent"]:
            terms["latent"] = latent_term(steps, self.widths)
        return terms

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Weighted sum of the terms, summed over the mappers."""
        return len(self.texts) * torch.stack([self.weights[name] * value for name, value in terms.items()]).sum()

    def configure_optimizers(self) -> Any:
        """Ranger or Adam; at a constant rate, as published, or along a cosine."""
        kind = Ranger if self.optimizer == "ranger" else torch.optim.Adam
        optimizer = kind(self.network.parameters(), lr=self.learning_rate)
        if self.final_rate == 1.0:
            return optimizer
        low = self.learning_rate * self.final_rate
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.total_steps, low)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def preview(self) -> tuple[list[str], Tensor] | None:
        """The inversion and its edit by every phrase (at most ten)."""
        if self.preview_codes is None or len(self.preview_codes) == 0:
            return None
        codes = self.preview_codes.to(self.device)
        images, _ = self.edit(self.trained_network(), codes)
        columns = [self.domain.generator.synthesize(codes), *images[:10]]
        return ["inversion", *self.titles[:10]], torch.stack(columns, dim=1)
