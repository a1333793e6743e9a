"""Kernel distance (KID): squared MMD with the cubic polynomial kernel, unbiased even if images share a source.

The usual estimator excludes the kernel of an image with itself from the mean over pairs, since the pair is not
independent. Edits of one photo for several prompts are not independent either, and neither are an edit and the
inversion of its photo: with 24 photos and 8 prompts, including them would more than double the distance.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

SUBSETS = 100
SUBSET_SIZE = 1000
EXACT_ROWS = 4000
"""Up to this many rows per side, the full kernel matrix (128 MB) is computed."""


def kid(
    edits: ArrayLike | Tensor,
    reference: ArrayLike | Tensor,
    *,
    sources: ArrayLike | None = None,
    reference_sources: ArrayLike | None = None,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """Compute unbiased MMD^2 with kernel (x.y / d + 1)^3; may be negative; 0 in expectation for equal distributions.

    Up to `EXACT_ROWS` rows a side, the estimate on all rows is returned: it is what random subsets estimate, without
    their noise. Above, the mean over random subsets of equal size, as in the published packages. The spread of those
    subsets is not a standard error (they overlap); intervals come from a delete-block jackknife.

    Args:
        edits: features [n, d], n at least 2.
        reference: features [m, d], m at least 2.
        sources: source photo of every edit [n], any labels; None if every edit has a different one.
        reference_sources: source photo of every reference row [m], if these are among ``sources``; None if the
            reference set is an independent one.
        subsets: number of random subsets.
        subset_size: rows per subset and side, shrunk to the smaller set.
        seed: of the subsets.

    Raises:
        ValueError: widths differ, fewer than two sources, nan or infinite features, labels that do not fit.

    Source: Binkowski et al. 2018 (arXiv 1801.01401).
    """
    x, y, own, theirs = _checked(edits, reference, sources, reference_sources)
    if max(len(x), len(y)) <= EXACT_ROWS:
        return _mmd2(x, y, own, theirs, torch.ones(1, len(x)), torch.ones(1, len(y))).item()
    size = min(len(x), len(y), subset_size)
    draw = torch.Generator().manual_seed(seed)
    every, values = torch.ones(1, size), []
    for _ in range(subsets):
        rows_x = torch.randperm(len(x), generator=draw)[:size]
        rows_y = torch.randperm(len(y), generator=draw)[:size]
        values.append(_mmd2(x[rows_x], y[rows_y], own[rows_x], theirs[rows_y], every, every).item())
    return float(np.mean(values))


def kid_of_subsets(
    edits: ArrayLike,
    reference: ArrayLike,
    rows: NDArray[np.bool_],
    reference_rows: NDArray[np.bool_],
    *,
    sources: ArrayLike | None = None,
    reference_sources: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Compute `kid` of several parts of the same rows, from one kernel matrix: exact, up to `EXACT_ROWS` rows a side.

    Args:
        edits: features [n, d].
        reference: features [m, d].
        rows: which edits belong to each part [parts, n]; of at least two sources.
        reference_rows: which reference rows do [parts, m]; of at least two sources.
        sources: as for `kid`.
        reference_sources: as for `kid`.

    Raises:
        ValueError: as `kid`.
    """
    x, y, own, theirs = _checked(edits, reference, sources, reference_sources)
    found: NDArray[np.float64] = _mmd2(x, y, own, theirs, torch.tensor(rows), torch.tensor(reference_rows)).numpy()
    return found


def _checked(
    edits: ArrayLike | Tensor,
    reference: ArrayLike | Tensor,
    sources: ArrayLike | None,
    reference_sources: ArrayLike | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the features of both sides in double precision, and their sources as whole numbers."""
    x, y = (torch.as_tensor(np.asarray(f)) if not isinstance(f, Tensor) else f.detach() for f in (edits, reference))
    x, y = x.double(), y.double()
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features must have shapes [n, d] and [m, d], got {tuple(x.shape)} and {tuple(y.shape)}")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"KID needs at least 2 images on each side, got {len(x)} and {len(y)}")
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("features hold nan or infinity")
    own, theirs = _labels(sources, reference_sources, len(x), len(y))
    if min(len(own.unique()), len(theirs.unique())) < 2:
        raise ValueError("KID needs images of at least 2 sources on each side")
    return x, y, own, theirs


def _labels(sources: ArrayLike | None, reference_sources: ArrayLike | None, n: int, m: int) -> tuple[Tensor, Tensor]:
    """Return whole numbers that are equal for equal sources; rows without a source get unique ones."""
    own = np.arange(n) if sources is None else np.asarray(sources)
    theirs = np.arange(m) if reference_sources is None else np.asarray(reference_sources)
    if own.shape != (n,) or theirs.shape != (m,):
        raise ValueError(f"every row needs one source, got {own.shape} and {theirs.shape} for {n} and {m} rows")
    if sources is None or reference_sources is None:
        first, second = np.unique(own, return_inverse=True)[1], -1 - np.unique(theirs, return_inverse=True)[1]
    else:
        both = np.unique(np.concatenate([own, theirs]), return_inverse=True)[1]
        first, second = both[:n], both[n:]
    return torch.from_numpy(first), torch.from_numpy(second)


def _mmd2(x: Tensor, y: Tensor, own: Tensor, theirs: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    """Compute the distance of every part [parts]; ``rows`` and ``others`` say which rows belong to it [parts, n]."""
    first, second = (x, own, rows.double()), (y, theirs, others.double())
    return _pair_means(first, first) + _pair_means(second, second) - 2.0 * _pair_means(first, second)


def _pair_means(first: tuple[Tensor, Tensor, Tensor], second: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Compute the mean kernel over the pairs of rows of different sources, for every part [parts]."""
    (x, own, rows), (y, theirs, others) = first, second
    kernel = (x @ y.T).div_(x.shape[1]).add_(1.0)
    kernel = kernel * kernel * kernel
    apart = (own[:, None] != theirs).double()
    sums, pairs = (((rows @ each) * others).sum(1) for each in (kernel.mul_(apart), apart))
    return sums / pairs
