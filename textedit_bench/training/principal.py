"""Principal components of batched samples: exact from the covariance, or by an incremental estimator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Decomposition(NamedTuple):
    """The result of an estimator.

    Attributes:
        mean: [dim].
        comp: unit rows [k, dim], the widest first; the entry that is largest by magnitude is positive.
        stdev: root of the explained variance (n - 1), [k].
        ratio: of the whole variance, [k].
    """

    mean: Tensor
    comp: Tensor
    stdev: Tensor
    ratio: Tensor


def exact(parts: Iterable[Tensor], count: int) -> Decomposition:
    """Compute principal components as eigenvectors of the covariance, in float64.

    Args:
        parts: samples [n, dim], some at a time; at least two together.
        count: components to keep.
    """
    centre: Tensor | None = None
    total: Tensor | float = 0.0
    products: Tensor | float = 0.0
    number = 0
    for part in parts:
        values = part.double()
        # Sums around the first part's mean, since a mean far from zero would cancel the digits of a small spread.
        centre = values.mean(0) if centre is None else centre
        values = values - centre
        total, products, number = total + values.sum(0), products + values.T @ values, number + len(values)
    assert centre is not None and isinstance(total, Tensor) and isinstance(products, Tensor)
    centre, shift, products = centre.cpu(), (total / number).cpu(), products.cpu()
    covariance = (products - number * torch.outer(shift, shift)) / (number - 1)
    variance, vectors = torch.linalg.eigh(covariance)
    variance, comp = variance.flip(0).clamp(min=0), vectors.T.flip(0)
    return Decomposition(
        centre + shift, signed(comp[:count]), variance[:count].sqrt(), (variance / variance.sum())[:count]
    )


def incremental(parts: Iterable[Tensor], count: int) -> Decomposition:
    """Compute components by the released estimator, with ``count`` directions between batches; float64, CPU.

    Source: scikit-learn's ``IncrementalPCA`` (Ross et al. 2008), which the released code calls.

    Args:
        parts: batches [n, dim] of at least ``count`` samples.
        count: components to keep.
    """
    number = 0
    mean = comp = singular = squares = ratio = torch.zeros(0)
    for part in parts:
        values = part.double().cpu()
        own, size = values.mean(0), len(values)
        if not number:
            stack, mean, squares = values - own, own, (values - own).square().sum(0)
        else:
            correction = (number * size / (number + size)) ** 0.5 * (mean - own)
            stack = torch.cat([singular[:, None] * comp, values - own, correction[None]])
            squares = squares + (values - own).square().sum(0) + correction.square()
            mean = (number * mean + size * own) / (number + size)
        number += size
        _, singular, comp = torch.linalg.svd(stack, full_matrices=False)
        singular, comp = singular[:count], signed(comp[:count])
        ratio = singular.square() / squares.sum()
    return Decomposition(mean, comp, singular / (number - 1) ** 0.5, ratio)


def signed(comp: Tensor) -> Tensor:
    """Flip rows so that the entry of largest magnitude is positive, scikit-learn's rule."""
    largest = comp.abs().argmax(1, keepdim=True)
    return comp * comp.gather(1, largest).sign()
