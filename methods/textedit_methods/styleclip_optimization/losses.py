"""The objective of the latent optimisation, one value per (image, prompt) pair.

Pairs share no term, so the gradient of the sum over a batch is every pair's own gradient.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.finite import FiniteWatch

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel, Preprocessing
    from textedit_bench.models.stylegan2 import Generator

Space = Literal["w+", "s"]


def clip_term(images: Tensor, texts: Tensor) -> Tensor:
    """One minus the cosine of image and text embeddings [B, d]: [B]; CLIP's logit over its scale of 100."""
    return 1 - F.cosine_similarity(images, texts, dim=-1)


def latent_term(codes: Tensor, source: Tensor) -> Tensor:
    """SUM of squared differences over all coordinates of each code: [B]. The paper's eq. 1 does not square."""
    return (codes - source).square().flatten(1).sum(1)


def identity_term(edited: Tensor, source: Tensor) -> Tensor:
    """One minus the inner product of unit identity vectors [B, d]: [B]."""
    return 1 - (edited * source).sum(-1)


@dataclass(frozen=True)
class Weights:
    """Factors of the latent and the identity term; the CLIP term has factor 1."""

    latent: float = 0.0
    identity: float = 0.0


class Objective:
    """Loss of codes against texts; what it needs of the source is computed once.

    Args:
        generator: of the codes.
        clip: guiding CLIP.
        texts: text embeddings, one per code, [B, d].
        source: codes before the edit, [B, rows, w_dim] or [B, styles].
        space: of the codes.
        weights: factors of the terms; a term of factor 0 costs nothing and needs no network.
        identity: guiding identity network, where its factor is above 0.
        clip_preprocessing: how pictures reach CLIP.
    """

    def __init__(
        self,
        generator: Generator,
        clip: ClipModel,
        texts: Tensor,
        source: Tensor,
        space: Space,
        weights: Weights,
        identity: Any = None,
        clip_preprocessing: Preprocessing = "published",
    ) -> None:
        self._synthesize = generator.synthesize if space == "w+" else generator.synthesize_style
        self._clip, self._preprocessing = clip, clip_preprocessing
        self._texts, self._source = texts, source
        self._weights, self._identity = weights, identity
        self.watch, self._calls = FiniteWatch("optimisation"), 0
        if weights.identity:
            with torch.no_grad():
                self._who = identity.embed(self._synthesize(source, noise="const"))

    def __call__(self, codes: Tensor) -> Tensor:
        """Loss of each pair, [B].

        Raises:
            DivergedError: a term is not finite.
        """
        images = self._synthesize(codes, noise="const")
        seen = self._clip.encode_image(images, preprocessing=self._preprocessing)
        terms = {"clip": clip_term(seen, self._texts)}
        if self._weights.latent:
            terms["latent"] = self._weights.latent * latent_term(codes, self._source)
        if self._weights.identity:
            terms["identity"] = self._weights.identity * identity_term(self._identity.embed(images), self._who)
        self._calls += 1
        self.watch.note(self._calls, terms)
        return functools.reduce(torch.add, terms.values())
