"""Samples of a generator as the guiding CLIP sees them, and the groups that a prompt divides them into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_CHUNK = 32


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
    codes, seen = [], []
    for start in range(0, count, _CHUNK):
        z = torch.randn(min(_CHUNK, count - start), generator.z_dim, generator=stream)
        w = generator.map(z.to(domain.device))
        pictures = generator.synthesize(w[:, None].repeat(1, generator.num_rows, 1), noise="const")
        codes.append(w.float().cpu())
        seen.append(F.normalize(clip.encode_image(pictures), dim=-1).cpu())
    return Samples(torch.cat(codes), torch.cat(seen))


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
