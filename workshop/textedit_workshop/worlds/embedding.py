"""Embed factors in W by a fixed orthogonal matrix: the target of the mapping network and the encoder.

A generator trained from Gaussian z straight to renders stays blurred for thousands of steps; one trained from this
embedding is sharp, and the mapping z -> w is then learnt alone in seconds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.worlds.world import Factors, FactorSpace

W_GAIN = 2.0
"""Brings the coordinates of w to about unit variance."""


class FactorEmbedding:
    """The matrix of one world: a dense rotation u of the factor vector, stored twice, as w = (u, -u).

    Every factor change then has a form in which no coordinate of w falls. Some published mappers end in a leaky ReLU,
    so their offsets hardly fall either; with a single copy they could express half of the edits only.
    What is left, {(a, a)} among it, stands for nothing: the generator is trained to ignore it.

    Args:
        space: the world's factors.
        w_dim: width of W, even, at least twice ``space.vector_size``.
        seed: draws the rotation.
    """

    def __init__(self, space: FactorSpace, w_dim: int, seed: int = 0) -> None:
        half = w_dim // 2
        if w_dim % 2 or half < space.vector_size:
            raise ValueError(f"w_dim {w_dim} must be even and at least twice the {space.vector_size} factors")
        self.space = space
        self.half = half
        square = torch.randn(half, half, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        rotation = torch.linalg.qr(square)[0][: space.vector_size].float()
        self.matrix = torch.cat([rotation, -rotation], 1) * (W_GAIN / 2**0.5)

    def w(self, factors: Factors) -> Tensor:
        """Embed factors as w [B, w_dim]."""
        return self.space.vector(factors) @ self.matrix
