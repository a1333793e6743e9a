"""Compute cosine similarities of embeddings: text agreement and identity, float64, one value per row."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


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
