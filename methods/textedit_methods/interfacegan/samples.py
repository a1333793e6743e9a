"""Samples of a generator as the guiding CLIP sees them, and the groups that a prompt divides them into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.models.batches import images_at_once
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_CHUNK = 32
"""Samples per pass where memory allows them."""


@dataclass(frozen=True)
class Samples:
    """Codes drawn from the generator.

    Attributes:
        codes: W codes [N, w_dim] on the CPU.
        seen: unit CLIP embeddings [N, d] of their pictures, on the CPU.
    """

    codes: Tensor
    seen: Tensor


@torch.no_grad()
def draw(domain: Domain, count: int, seed: int) -> Samples:
    """``count`` untruncated samples of W with their pictures' embeddings; no picture is kept."""
    generator, clip = domain.generator, domain.clip
    stream = torch.Generator().manual_seed(seed)
    at_once = images_at_once(generator.resolution, _CHUNK)
    codes, seen = [], []
    for start in range(0, count, at_once):
        z = torch.randn(min(at_once, count - start), generator.z_dim, generator=stream)
        w = generator.map(sent(z, domain.device))
        pictures = generator.synthesize(w[:, None].repeat(1, generator.num_rows, 1), noise="const")
        codes.append(w.float())
        seen.append(F.normalize(clip.encode_image(pictures), dim=-1))
    return Samples(torch.cat(codes).cpu(), torch.cat(seen).cpu())


@torch.no_grad()
def scores(samples: Samples, prompt: Prompt, domain: Domain) -> Tensor:
    """How much more a sample looks like the prompt's target than like its source, [N]: a difference of cosines."""
    score = samples.seen @ _direction(prompt.target, domain)
    return score if prompt.source is None else score - samples.seen @ _direction(prompt.source, domain)


def _direction(text: str, domain: Domain) -> Tensor:
    """Unit embedding [d] of one text, encoded alone so that it does not depend on its company."""
    return F.normalize(domain.clip.encode_text([text])[0], dim=-1).cpu()


def extremes(score: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Positions of the highest and of the lowest ``share`` of the scores; at least one each, never overlapping.

    Source: Shen et al. 2020, sec. 4.1: the candidates whose scores the classifier is surest of.
    """
    count = min(max(1, round(share * len(score))), len(score) // 2)
    order = score.argsort(stable=True)
    return order[len(order) - count :], order[:count]
