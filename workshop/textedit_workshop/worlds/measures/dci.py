"""Disentanglement, completeness and informativeness of a code for a world's attributes.

Source: Eastwood and Williams 2018, A framework for the quantitative evaluation of disentangled representations, sec. 2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from textedit_workshop.worlds.measures.sparse import fit_sparse

PENALTY = 0.03
"""Of the sparse classifiers; at a third of it they still name S's values right to 99.7 %, with more channels each."""


class DCI(NamedTuple):
    """The three scores, in [0, 1]; higher is better."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: Tensor, values: Tensor) -> DCI:
    """Compute the three scores of codes for binary factors, by sparse logistic classifiers.

    Three quarters of the codes fit the classifiers; the absolute weights over standardised codes say what matters, the
    share that the classifiers get right in the last quarter is the informativeness.

    Args:
        codes: [N, d].
        values: bool [N, factors].
    """
    fitted = len(codes) * 3 // 4
    codes, mean, spread = codes.double(), codes[:fitted].double().mean(0), codes[:fitted].double().std(0)
    codes = (codes - mean) / spread.clamp(min=1e-6)
    found = fit_sparse(codes[:fitted], values[:fitted], PENALTY)
    right = (found.scores(codes[fitted:]) > 0) == values[fitted:]
    importance = found.weights.abs()
    return DCI(disentanglement(importance), completeness(importance), float(right.double().mean()))


def disentanglement(importance: Tensor) -> float:
    """Compute how much each code dimension matters for one factor only, weighted by total importance.

    Args:
        importance: how much code number i matters for factor j, not negative, [codes, factors].
    """
    weight = importance.sum(1)
    return float((weight * _purity(importance)).sum() / weight.sum())


def completeness(importance: Tensor) -> float:
    """Compute how much each factor depends on one code dimension only; the mean over factors."""
    return float(_purity(importance.T).mean())


def _purity(rows: Tensor) -> Tensor:
    """Compute 1 - entropy of every row's shares, to the base of the row's length; 0 for a row of zeros."""
    total = rows.sum(1, keepdim=True)
    shares = rows / total.clamp(min=torch.finfo(rows.dtype).tiny)
    entropy = -torch.special.xlogy(shares, shares).sum(1) / math.log(rows.shape[1])
    return torch.where(total[:, 0] > 0, 1.0 - entropy, torch.zeros_like(entropy))
