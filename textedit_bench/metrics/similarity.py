"""Compute cosine similarities of embeddings, float64, one value per row, and R-precision: the text that fits best."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.prompt import Prompt


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Compute the cosine of matching rows [B, d] (or of rows with one vector [d]), shape [B], in [-1, 1]."""
    a, b = torch.broadcast_tensors(a.double(), b.double())
    return (F.normalize(a, dim=-1) * F.normalize(b, dim=-1)).sum(-1).clamp(-1.0, 1.0)


def clip_score(image: Tensor, text: Tensor) -> Tensor:
    """Compute 100 times the cosine of image embeddings [B, d] and a text embedding [d]; not clamped at zero."""
    return 100.0 * cosine(image, text)


def directional_similarity(edit: Tensor, source: Tensor, target_text: Tensor, source_text: Tensor) -> Tensor:
    """Compute the cosine of the edit's step in image space and the requested step in text space, shape [B].

    Image and text embeddings are normalised before subtraction. nan if either step has no length.

    Args:
        edit: image embeddings after the edit [B, d].
        source: image embeddings before it [B, d].
        target_text: embedding of the target text [d].
        source_text: embedding of the source text [d].

    Source: Gal et al. 2021 (StyleGAN-NADA, arXiv 2108.00946), directional loss.
    """
    step = F.normalize(edit.double(), dim=-1) - F.normalize(source.double(), dim=-1)
    asked = F.normalize(target_text.double(), dim=-1) - F.normalize(source_text.double(), dim=-1)
    # float32 embeddings carry noise of about 1e-7; a shorter step has no direction.
    defined = (step.norm(dim=-1) > 1e-6) & (asked.norm(dim=-1) > 1e-6)
    return torch.where(defined, cosine(step, asked), torch.full_like(step[..., 0], float("nan")))


def reciprocal_rank(images: Tensor, asked: Tensor, others: Tensor) -> Tensor:
    """Compute one over the rank of the requested text by cosine, shape [B], in (0, 1]; ties count against it.

    Args:
        images: image embeddings [B, d].
        asked: embedding of the asked text [d].
        others: embeddings of mismatched texts [T, d], at least one.

    Raises:
        ValueError: no mismatched text.
    """
    if not len(others):
        raise ValueError("R-precision needs at least one mismatched text")
    own = cosine(images, asked)
    rivals = torch.stack([cosine(images, other) for other in others])
    rank = 1.0 + (rivals >= own).double().sum(0)
    return torch.where(own.isnan(), own, 1.0 / rank)


def mismatched(prompt: Prompt, prompts: Sequence[Prompt]) -> list[str]:
    """List target texts that an edit for ``prompt`` must not fit better than its own.

    Excluded are its own text and prompts that share a requested value with it: an image with blond hair and glasses is
    also one with blond hair.
    """
    own = set(prompt.asked.items())
    texts = [p.target for p in prompts if p.target != prompt.target and not own & set(p.asked.items())]
    return list(dict.fromkeys(texts))
