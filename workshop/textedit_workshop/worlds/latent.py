"""Convert between z and the factors that it represents."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.worlds.world import Factors, FactorSpace


class LatentFactors:
    """Fixed orthogonal projections of the normalised z, interpreted as normal numbers.

    Args:
        space: supplies the distribution of the factors.
        z_dim: width of z, at least as many as the world has random numbers.
        seed: draws the projections.
    """

    def __init__(self, space: FactorSpace, z_dim: int, seed: int = 0) -> None:
        stream = torch.Generator().manual_seed(seed + 1)
        square = torch.randn(z_dim, z_dim, generator=stream, dtype=torch.float64)
        rotation = torch.linalg.qr(square)[0]
        self.matrix, self._rest = rotation[:, : space.count], rotation[:, space.count :]
        self.space = space

    def factors(self, z: Tensor) -> Factors:
        """Convert z [B, z_dim], standard normal, to factors, distributed as the world's training data."""
        unit = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        return self.space.from_normal(unit @ self.matrix.float())

    def z(self, factors: Factors, stream: torch.Generator) -> Tensor:
        """Draw a z [B, z_dim] of root mean square 1 that represents the factors."""
        normal = self.space.to_normal(factors, stream).double()
        size = self.matrix.shape[0]
        # As many as the world has random numbers are fixed; the others share what is left of the length.
        normal = normal * (size / normal.square().sum(1, keepdim=True)).sqrt().clamp(max=1.0)
        rest = torch.randn(len(normal), self._rest.shape[1], generator=stream, dtype=torch.float64)
        left = (size - normal.square().sum(1, keepdim=True)).clamp(min=0.0)
        rest = rest * (left / rest.square().sum(1, keepdim=True)).sqrt()
        return (normal @ self.matrix.T + rest @ self._rest.T).float()
