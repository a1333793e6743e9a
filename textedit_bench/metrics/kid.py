"""Kernel distance (KID): unbiased squared MMD with the cubic polynomial kernel."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

SUBSETS = 100
SUBSET_SIZE = 1000
EXACT_ROWS = 4000
"""Up to this many rows a side, the kernel matrix (128 MB) is computed whole."""


def kid(
    edits: ArrayLike | Tensor,
    reference: ArrayLike | Tensor,
    *,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """Unbiased MMD^2 with kernel (x.y / d + 1)^3; may be negative; 0 in expectation for equal distributions.

    Up to `EXACT_ROWS` rows a side, the estimate on all rows is returned: it is what random subsets estimate, without
    their noise. Above, the mean over random subsets of equal size, as in the published packages. The spread of those
    subsets is no standard error (they overlap); intervals come from a delete-block jackknife.

    Args:
        edits: features [n, d], n at least 2.
        reference: features [m, d], m at least 2.
        subsets: number of random subsets.
        subset_size: rows per subset and side, shrunk to the smaller set.
        seed: of the subsets.

    Raises:
        ValueError: widths differ, fewer than two rows, nan or infinite features.

    Source: Binkowski et al. 2018 (arXiv 1801.01401).
    """
    x, y = (torch.as_tensor(np.asarray(f)) if not isinstance(f, Tensor) else f.detach() for f in (edits, reference))
    x, y = x.double(), y.double()
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features must have shapes [n, d] and [m, d], got {tuple(x.shape)} and {tuple(y.shape)}")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"KID needs at least 2 images on each side, got {len(x)} and {len(y)}")
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("features hold nan or infinity")
    if max(len(x), len(y)) <= EXACT_ROWS:
        return _mmd2(x, y)
    size = min(len(x), len(y), subset_size)
    draw = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        rows_x = torch.randperm(len(x), generator=draw)[:size]
        rows_y = torch.randperm(len(y), generator=draw)[:size]
        values.append(_mmd2(x[rows_x], y[rows_y]))
    return float(np.mean(values))


def _mmd2(x: Tensor, y: Tensor) -> float:
    n, m = len(x), len(y)
    within_x, within_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    own_x = (within_x.sum() - within_x.trace()) / (n * (n - 1))
    own_y = (within_y.sum() - within_y.trace()) / (m * (m - 1))
    return (own_x + own_y - 2.0 * across.mean()).item()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1.0) ** 3
