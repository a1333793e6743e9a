"""Mean and scatter of feature sets in float64, in one pass, mergeable across shards.

Shards are merged by the pairwise update of Chan, Golub and LeVeque (1979), so that three processes with uneven shares
give what one process gives. The memory does not depend on the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of a set of rows.

    Attributes:
        count: float64 scalar, number of rows.
        mean: float64 [d].
        scatter: float64 [d, d], sum of outer products of the centred rows.
    """

    count: Tensor
    mean: Tensor
    scatter: Tensor

    @classmethod
    def empty(cls, width: int, device: torch.device | str = "cpu") -> Moments:
        """No rows yet."""
        zeros = torch.zeros(width, dtype=torch.float64, device=device)
        return cls(zeros.new_zeros(()), zeros, zeros.new_zeros(width, width))

    @classmethod
    def of(cls, rows: Tensor) -> Moments:
        """Moments of rows [n, d].

        Raises:
            ValueError: not a matrix, or non-finite values.
        """
        if rows.ndim != 2:
            raise ValueError(f"features must have shape [n, d], got {tuple(rows.shape)}")
        if not len(rows):
            return cls.empty(rows.shape[1], rows.device)
        rows = rows.double()
        if not rows.isfinite().all():
            raise ValueError(f"features hold nan or infinity in {int((~rows.isfinite()).any(1).sum())} rows")
        mean = rows.mean(0)
        centred = rows - mean
        return cls(mean.new_tensor(float(len(rows))), mean, centred.T @ centred)

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets together."""
        if self.mean.shape != other.mean.shape:
            raise ValueError(f"feature widths differ: {len(self.mean)} and {len(other.mean)}")
        count = self.count + other.count
        if count == 0:
            return self
        step = other.mean - self.mean
        share = other.count / count
        scatter = self.scatter + other.scatter + torch.outer(step, step) * (self.count * share)
        return Moments(count, self.mean + step * share, scatter)

    @property
    def covariance(self) -> Tensor:
        """Unbiased covariance [d, d] (divided by n - 1).

        Raises:
            ValueError: fewer than two rows.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 images, got {int(self.count)}")
        return self.scatter / (self.count - 1)

    def pack(self) -> Tensor:
        """All three in one vector [1 + d + d*d], for states that are reduced as a whole."""
        return torch.cat([self.count.reshape(1), self.mean, self.scatter.flatten()])

    @classmethod
    def unpack(cls, packed: Tensor, width: int) -> Moments:
        """The inverse of `pack`."""
        return cls(packed[0], packed[1 : 1 + width], packed[1 + width :].reshape(width, width))


def merge_packed(shards: Tensor) -> Tensor:
    """Merge packed moments [shards, 1 + d + d*d] in shard order, which keeps the last bits stable."""
    if shards.ndim == 1:
        return shards
    # 1 + d + d^2 = length, solved for d.
    width = round((4 * shards.shape[1] - 3) ** 0.5 - 1) // 2
    return reduce(Moments.merge, (Moments.unpack(shard, width) for shard in shards)).pack()
