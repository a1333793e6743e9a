"""Logistic regression with an L1 penalty, many targets at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ITERATIONS = 400


@dataclass(frozen=True)
class Classifiers:
    """One linear classifier per column, over standardised codes.

    Attributes:
        weights: [d, targets].
        offsets: [targets].
    """

    weights: Tensor
    offsets: Tensor

    def scores(self, codes: Tensor) -> Tensor:
        """Log odds [N, targets]."""
        return codes @ self.weights + self.offsets


def fit_sparse(codes: Tensor, targets: Tensor, penalty: float, iterations: int = ITERATIONS) -> Classifiers:
    """Minimise, per column, the mean logistic loss plus ``penalty`` times the sum of absolute weights.

    Args:
        codes: standardised, [N, d].
        targets: bool [N, targets].
        penalty: 0 gives plain logistic regression.
        iterations: of the accelerated proximal gradient method.

    Source: Beck and Teboulle 2009 (FISTA), with O'Donoghue and Candes' restart.
    """
    x = torch.cat([codes.double(), torch.ones(len(codes), 1, dtype=torch.float64)], 1)
    y = targets.double()
    step = 4.0 * len(x) / float(torch.linalg.eigvalsh(x.T @ x)[-1])
    shrink = torch.full((x.shape[1], 1), penalty * step, dtype=torch.float64)
    shrink[-1] = 0.0  # the offset is free
    weights = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64)
    ahead, momentum = weights, 1.0
    for _ in range(iterations):
        moved = ahead - step * (x.T @ ((x @ ahead).sigmoid() - y)) / len(x)
        new = moved.sign() * (moved.abs() - shrink).clamp(min=0.0)
        following = (1.0 + (1.0 + 4.0 * momentum**2) ** 0.5) / 2.0
        if float(((ahead - new) * (new - weights)).sum()) > 0:
            following, momentum = 1.0, 1.0
        ahead = new + (momentum - 1.0) / following * (new - weights)
        weights, momentum = new, following
    return Classifiers(weights[:-1], weights[-1])
