"""What instance-level optimisation minimises, one value per image.

Images share no term, so the gradient of the sum over a batch is every image's own gradient.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.finite import FiniteWatch

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel, Preprocessing
    from textedit_bench.models.stylegan2 import Generator


@dataclass(frozen=True)
class Weights:
    """Factors of the terms; a term of factor 0 costs nothing and needs no network."""

    clip: float
    pixel: float
    encoder: float


class Objective:
    """Loss of codes against a text, the photos they came from, and the encoder's view of what they show.

    ``clip (1 - cos(C(G(w)), C(text))) + pixel mean((x - G(w))^2) + encoder mean((w - E(G(w)))^2)``

    Args:
        generator: of the codes.
        clip: guiding CLIP.
        encoder: has ``encode(images)``; None where its factor is 0.
        photos: [B, 3, H, W] in [-1, 1].
        text: its CLIP embedding [d].
        weights: factors of the terms.
        clip_preprocessing: how pictures reach CLIP.

    Source: Xia et al. 2021, eq. 9 (pixels, features, encoder); the text's term is that of Xia et al. 2021b (arXiv
    2104.08910), in whose release CLIP takes the place of the learnt text encoder. The feature term is left out, see the
    README.
    """

    def __init__(
        self,
        generator: Generator,
        clip: ClipModel,
        encoder: Any,
        photos: Tensor,
        text: Tensor,
        weights: Weights,
        clip_preprocessing: Preprocessing = "correct",
    ) -> None:
        self._generator, self._clip, self._encoder = generator, clip, encoder
        self._photos, self._text = photos, text
        self._weights, self._preprocessing = weights, clip_preprocessing
        self.watch, self._calls = FiniteWatch("optimisation"), 0

    def __call__(self, codes: Tensor) -> Tensor:
        """Loss of each image, [B], of codes [B, rows, w_dim].

        Raises:
            DivergedError: a term is not finite.
        """
        images = self._generator.synthesize(codes, noise="const")
        seen = self._clip.encode_image(images, preprocessing=self._preprocessing)
        terms = {"clip": self._weights.clip * (1 - F.cosine_similarity(seen, self._text[None], dim=-1))}
        if self._weights.pixel:
            terms["pixel"] = self._weights.pixel * (images - self._photos).square().flatten(1).mean(1)
        if self._weights.encoder:
            away = (codes - self._encoder.encode(images)).square().flatten(1).mean(1)
            terms["encoder"] = self._weights.encoder * away
        self._calls += 1
        self.watch.note(self._calls, terms)
        return functools.reduce(torch.add, terms.values())
