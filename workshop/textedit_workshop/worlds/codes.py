"""Codes of given factors by a generator's mapping network, and directions of W that represent none."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.world import Factors, FactorSpace
from textedit_workshop.worlds.embedding import FactorEmbedding

QUIET = 0.01
"""A principal axis of W with a smaller share than this of the mean variance stands for no factor."""
QUIET_NOISE, EVEN_NOISE = 1.1, 0.2
"""Largest standard deviation of noise along each quiet axis, and, if there is none, along every axis."""
SPREAD_SAMPLES = 4096


class FactorCodes:
    """The codes of one world's generator, independent of the mapping's form.

    Args:
        space: the world's factors.
        generator: its mapping network is asked for the quiet axes, and not changed.
    """

    def __init__(self, space: FactorSpace, generator: Generator) -> None:
        self.embedding = FactorEmbedding(space, generator.w_dim)
        self.generator = generator
        z = torch.randn(SPREAD_SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            values, vectors = torch.linalg.eigh(generator.map(z).double().T.cov())
        self.quiet_axes = vectors[:, values < QUIET * values.mean()].T.float()

    def w(self, factors: Factors) -> Tensor:
        """Return the w [B, w_dim] that stands for whole values.

        A soft mapping hardly ever reaches it: most samples are mixtures. Regression from those to renders, which show
        one value each, left values in the middle of a range unread at their own codes (expressions: 67 % right).
        """
        return self.embedding.w(factors)

    def noise(self, n: int, rows: int, stream: torch.Generator) -> Tensor:
        """Draw noise that must not affect the pictures of n codes, [n, rows, w_dim]: editors may move that way.

        Along the quiet axes if there are any, a little along all axes otherwise; of a strength drawn per code.
        """
        strength = torch.rand(n, 1, 1, generator=stream)
        if not len(self.quiet_axes):
            return EVEN_NOISE * strength * torch.randn(n, rows, self.generator.w_dim, generator=stream)
        return QUIET_NOISE * strength * torch.randn(n, rows, len(self.quiet_axes), generator=stream) @ self.quiet_axes
