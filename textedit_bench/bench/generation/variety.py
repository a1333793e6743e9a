"""Measure how different the pictures of one text are from each other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_CHUNK = 32


def pair_distances(images: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Compute the mean distance of each picture to the others, float64 [N]; nan for a single one.

    Args:
        images: [N, 3, H, W].
        distance: (a, b) pictures [B, 3, H, W] -> [B] or [B, 1, 1, 1], symmetric.
    """
    n = len(images)
    first, second = torch.triu_indices(n, n, offset=1)
    between = torch.zeros(n, n, dtype=torch.float64)
    for a, b in zip(first.split(_CHUNK), second.split(_CHUNK), strict=True):
        between[a, b] = distance(images[a], images[b]).flatten().double().cpu()
    return (between + between.T).sum(1) / (n - 1) if n > 1 else torch.full((n,), torch.nan, dtype=torch.float64)


def taken_for_another(embeddings: Tensor, threshold: float) -> Tensor:
    """Compute the share of other pictures verified as the same subject, float64 [N]; nan for a single one.

    Args:
        embeddings: unit vectors [N, d].
        threshold: cosine at and above which two pictures count as one subject.
    """
    n = len(embeddings)
    if n < 2:
        return torch.full((n,), torch.nan, dtype=torch.float64)
    vectors = embeddings.double().cpu()
    same = (vectors @ vectors.T >= threshold).double().fill_diagonal_(0.0)
    same[vectors.isnan().any(1)] = torch.nan
    return same.sum(1) / (n - 1)
