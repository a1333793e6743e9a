"""What a generator's samples show, as read by the oracle."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from textedit_bench.models.roles import Oracle
from textedit_bench.worlds.world import Attribute, World


def readings(oracle: Oracle, pictures: Callable[[int], Tensor], count: int, batch_size: int = 100) -> Tensor:
    """The oracle's readings of ``count`` pictures, int64 [count, A]; ``pictures(n)`` makes the next n."""
    parts = []
    for start in range(0, count, batch_size):
        parts.append(oracle.predict(pictures(min(batch_size, count - start))).cpu())
    return torch.cat(parts)


def total_variation(first: Tensor, second: Tensor, values: int) -> float:
    """Half the summed differences of two samples' shares, abstentions (-1) a value of their own; in [0, 1]."""
    shares = [torch.bincount(x + 1, minlength=values + 1).double() / len(x) for x in (first, second)]
    return float((shares[0] - shares[1]).abs().sum() / 2)


def dependent_values(attribute: Attribute) -> tuple[int, int]:
    """The attribute's value that depends most on the attribute it is given by, and the value there that raises it."""
    if attribute.given is None:
        raise ValueError(f"attribute {attribute.name} depends on no other")
    raised = {
        (own, other): weights[own] - attribute.weights[own]
        for other, weights in attribute.given[1].items()
        for own in range(len(weights))
    }
    return max(raised, key=raised.__getitem__)


def correlation(world: World, attribute: Attribute, read: Tensor) -> float:
    """Correlation (phi) of an attribute's most dependent value with the value it depends on.

    Args:
        world: its attributes order the columns.
        attribute: has ``given``.
        read: value indices [N, A].
    """
    own, other = dependent_values(attribute)
    assert attribute.given is not None
    parent = attribute.given[0]
    x = (read[:, world.index(attribute.name)] == own).double()
    y = (read[:, world.index(parent)] == other).double()
    spread = x.std(correction=0) * y.std(correction=0)
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0
