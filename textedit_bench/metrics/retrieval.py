"""Compute R-precision: whether, among the data set's texts, the requested text fits the picture best."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from textedit_bench.metrics.similarity import cosine
from textedit_bench.prompt import Prompt


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
