"""Agreement of the edit with the text: CLIP score, its gain over the inversion, and the direction of the change."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.column import NO_CHANGE, NO_TEXT_CHANGE, OK, Column, Protocol, protocol_id
from textedit_bench.metrics.images import ImageBatch, ImageFeatures
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.similarity import clip_score, directional_similarity, mismatched, reciprocal_rank

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import ClipRole

# metric -> (what, compared with, title, decimals)
_METRICS = {
    "clip_score": ("score", "text", "CLIP score", 2),
    "clip_gain": ("gain", "inversion", "CLIP gain", 2),
    "clip_gain_photo": ("gain", "photo", "CLIP gain, from photo", 2),
    "clip_direction": ("direction", "inversion", "CLIP direction", 3),
    "clip_direction_photo": ("direction", "photo", "CLIP direction, from photo", 3),
}
_ROLES: dict[ClipRole, str] = {"judge_clip": "", "clip": "_in_loop"}
# metric -> title; only by the evaluation network
_RETRIEVAL = {"r_precision": "R-precision", "reciprocal_rank": "Reciprocal rank"}


class TextScorer:
    """CLIP networks with ``encode_image`` and ``encode_text``; values of the guiding one end in ``_in_loop``."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.protocols: dict[str, Protocol] = {}
        self._images: dict[ClipRole, ImageFeatures] = {}
        self._texts: dict[tuple[str, str], Tensor] = {}
        for role, suffix in _ROLES.items():
            if not domain.has(role):
                continue
            self._images[role] = ImageFeatures(partial(_encode_image, domain, role))
            for name, (what, reference, title, decimals) in _METRICS.items():
                identity = protocol_id(
                    f"clip-{what}",
                    network=f"{domain.tier}-{role}",
                    digest=domain.digest(role),
                    resize="network",
                    reference=reference,
                )
                heading = f"{title} (in loop)" if suffix else title
                in_loop = bool(suffix)
                self.protocols[name + suffix] = Protocol(identity, heading, True, in_loop=in_loop, decimals=decimals)
        self._prompts = [prompt.prompt() for prompt in domain.tier_card.prompts]
        if domain.has("judge_clip") and len({prompt.target for prompt in self._prompts}) > 1:
            # The rank depends on the other texts.
            texts = hashlib.sha256("\n".join(prompt.target for prompt in self._prompts).encode()).hexdigest()[:8]
            for name, title in _RETRIEVAL.items():
                identity = protocol_id(
                    name,
                    network=f"{domain.tier}-judge_clip",
                    digest=domain.digest("judge_clip"),
                    resize="network",
                    reference=f"texts:{texts}",
                )
                self.protocols[name] = Protocol(identity, title, True)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return the columns of `protocols`.

        ``clip_score`` and ``clip_gain`` are multiplied by 100. Gains and directions are computed from the inversion and
        from the photo. ``r_precision`` and ``reciprocal_rank`` rank the text among the data set's other prompts.
        """
        columns = {}
        source_text = sample.prompt.source or self._domain.card.neutral
        for role, features in self._images.items():
            target, neutral = self._text(role, sample.prompt.target), self._text(role, source_text)
            photo, inversion = features(sample.photo, keep=True), features(sample.inversion, keep=True)
            edit = features(sample.edit, keep=False)
            score = clip_score(edit, target)
            measured = {
                "clip_score": Column.of(score),
                "clip_gain": Column.of(score - clip_score(inversion, target)),
                "clip_gain_photo": Column.of(score - clip_score(photo, target)),
                "clip_direction": _direction(sample.edit, edit, sample.inversion, inversion, target, neutral),
                "clip_direction_photo": _direction(sample.edit, edit, sample.photo, photo, target, neutral),
            }
            columns.update({name + _ROLES[role]: column for name, column in measured.items()})
            if role == "judge_clip" and "r_precision" in self.protocols:
                columns.update(self._retrieval(sample, edit, target))
        return columns

    def _retrieval(self, sample: Sample, edit: Tensor, target: Tensor) -> dict[str, Column]:
        others = [self._text("judge_clip", text) for text in mismatched(sample.prompt, self._prompts)]
        if not others:
            return {name: Column.without_value(len(edit), NO_TEXT_CHANGE) for name in _RETRIEVAL}
        rank = reciprocal_rank(edit, target, torch.stack(others))
        return {
            "r_precision": Column.of(torch.where(rank.isnan(), rank, (rank == 1.0).double())),
            "reciprocal_rank": Column.of(rank),
        }

    def _text(self, role: ClipRole, text: str) -> Tensor:
        if (role, text) not in self._texts:
            self._texts[role, text] = self._domain.network(role).encode_text([text])[0].cpu()
        return self._texts[role, text]


def _direction(
    edit: ImageBatch, edit_rows: Tensor, source: ImageBatch, source_rows: Tensor, target: Tensor, neutral: Tensor
) -> Column:
    """Compute the directional similarity; undefined if an edit changed no pixel or no embedding."""
    values = directional_similarity(edit_rows, source_rows, target, neutral)
    if directional_similarity(target[None], neutral, target, neutral).isnan().item():
        return Column.of(values, [NO_TEXT_CHANGE] * len(values))
    same = [a == b for a, b in zip(edit.keys, source.keys, strict=True)]
    unmoved = (values.isnan() & edit_rows.isfinite().all(1) & source_rows.isfinite().all(1)).tolist()
    return Column.of(values, [NO_CHANGE if s or u else OK for s, u in zip(same, unmoved, strict=True)])


def _encode_image(domain: Domain, role: ClipRole, images: Tensor) -> Tensor:
    return domain.network(role).encode_image(images, preprocessing="correct")
