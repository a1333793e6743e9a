"""Samples of the generator with their guiding CLIP embeddings, for methods that label or rank pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.training.codes import w_samples
from textedit_bench.training.prepared import prepared

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_CHUNK = 32
"""Samples per pass where memory allows them."""


@dataclass(frozen=True)
class Samples:
    """Sampled codes with their pictures' embeddings.

    Attributes:
        codes: W codes [N, w_dim] on the CPU.
        seen: unit CLIP embeddings [N, d] of their pictures, on the CPU.
    """

    codes: Tensor
    seen: Tensor

    def likeness(self, target: Tensor, source: Tensor | None) -> Tensor:
        """Compute the cosine to a target minus that to a source, [N].

        Args:
            target: raw embedding [d] of a text.
            source: likewise; None if there is nothing to subtract.
        """
        score = self.seen @ F.normalize(target, dim=-1).cpu()
        return score if source is None else score - self.seen @ F.normalize(source, dim=-1).cpu()


def seen_samples(domain: Domain, count: int, seed: int) -> Samples:
    """Like `draw`, cached on this machine per generator, CLIP, count, seed and `prepared.computed_by`."""

    def make() -> dict[str, Tensor]:
        samples = draw(domain, count, seed)
        return {"codes": samples.codes, "seen": samples.seen}

    return Samples(**prepared(domain, "samples", ("generator", "clip"), (count, seed), make))


@torch.no_grad()
def draw(domain: Domain, count: int, seed: int) -> Samples:
    """Draw ``count`` untruncated samples of W with their pictures' embeddings; pictures are not kept."""
    generator, codes, seen = domain.generator, [], []
    for w in w_samples(domain, count, images_at_once(generator.resolution, _CHUNK), seed):
        codes.append(w)
        seen.append(look(domain, generator.broadcast(w).contiguous()))
    return Samples(torch.cat(codes).cpu(), torch.cat(seen).cpu())


def look(domain: Domain, codes: Tensor) -> Tensor:
    """Compute unit embeddings [B, d] by the guiding CLIP of W+ codes' [B, rows, w_dim] pictures, on their device."""
    generator, seen = domain.generator, []
    for part in codes.split(images_at_once(generator.resolution, _CHUNK)):
        pictures = generator.synthesize(part, noise="const")
        seen.append(F.normalize(domain.clip.encode_image(pictures), dim=-1))
    return torch.cat(seen)
