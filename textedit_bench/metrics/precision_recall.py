"""Compute improved precision and recall: the share of one set inside the manifold of the other.

Source: Kynkaanniemi et al. 2019 (arXiv 1904.06991): balls around every row that reach to its k-th neighbour.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

NEIGHBOURS = 3
_ROWS = 1024
"""Rows per block of distances: bounds the memory at _ROWS x n."""


def precision(edits: ArrayLike | Tensor, reference: ArrayLike | Tensor, k: int = NEIGHBOURS) -> float:
    """Compute the share of the edits inside the reference's manifold, in [0, 1].

    Args:
        edits: features [n, d].
        reference: features [m, d], m greater than ``k``.
        k: the neighbour that determines the radius, not counting the row itself.

    Raises:
        ValueError: widths differ, too few rows, nan or infinite features.
    """
    x, y = _rows(edits), _rows(reference)
    return _covered(x, y, k)


def recall(edits: ArrayLike | Tensor, reference: ArrayLike | Tensor, k: int = NEIGHBOURS) -> float:
    """Compute the share of the reference inside the edits' manifold, in [0, 1]; arguments as `precision`.

    Edits of a fixed image set are not independent draws: recall then mostly measures the source set.
    """
    x, y = _rows(edits), _rows(reference)
    return _covered(y, x, k)


def _rows(features: ArrayLike | Tensor) -> Tensor:
    rows = features.detach() if isinstance(features, Tensor) else torch.as_tensor(np.asarray(features))
    if rows.ndim != 2:
        raise ValueError(f"features must have shape [n, d], got {tuple(rows.shape)}")
    if not rows.isfinite().all():
        raise ValueError("features hold nan or infinity")
    return rows.double()


def _covered(probes: Tensor, manifold: Tensor, k: int) -> float:
    if probes.shape[1] != manifold.shape[1]:
        raise ValueError(f"feature widths differ: {probes.shape[1]} and {manifold.shape[1]}")
    if len(manifold) <= k or not len(probes):
        raise ValueError(f"precision and recall with k={k} need more than {k} images, got {len(manifold)}")
    # The k + 1 smallest include the row's distance to itself.
    radius = torch.cat([_distances(part, manifold).kthvalue(k + 1, dim=1).values for part in manifold.split(_ROWS)])
    inside = [(_distances(part, manifold) <= radius).any(1) for part in probes.split(_ROWS)]
    return torch.cat(inside).double().mean().item()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Exact differences, not the expanded square: a row's distance to itself, or to its copy, must be exactly 0.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
