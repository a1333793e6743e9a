"""Factors -> W by a fixed orthogonal matrix: the target that the mapping network and the encoder learn.

A generator trained from Gaussian z straight to renders stays blurred for thousands of steps; one trained from this
embedding is sharp, and the mapping z -> w is then learnt alone in seconds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.worlds.factors import Factors, FactorSpace

W_GAIN = 2.0
"""Brings the coordinates of w to about unit variance."""


class FactorEmbedding:
    """The matrix of one world.

    Args:
        space: the world's factors.
        w_dim: width of W, at least ``space.vector_size``.
        seed: draws the orthogonal matrix.
    """

    def __init__(self, space: FactorSpace, w_dim: int, seed: int = 0) -> None:
        if w_dim < space.vector_size:
            raise ValueError(f"w_dim {w_dim} is smaller than the {space.vector_size} factors")
        self.space = space
        square = torch.randn(w_dim, w_dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.matrix = torch.linalg.qr(square)[0][: space.vector_size].float() * W_GAIN

    def w(self, factors: Factors) -> Tensor:
        """Factors -> w [B, w_dim]."""
        return self.space.vector(factors) @ self.matrix

    def vector(self, w: Tensor) -> Tensor:
        """w [..., w_dim] -> factor vector [..., vector_size]: the inverse on the embedding's range."""
        return w @ self.matrix.T / W_GAIN**2
