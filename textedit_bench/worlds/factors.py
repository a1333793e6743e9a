"""Factors of a procedural picture, as numbers, and their random distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Continuous factors are uniform on [0, 1]; this gain gives their centred form unit variance.
_UNIFORM_GAIN = math.sqrt(12.0)


@dataclass(frozen=True)
class Attribute:
    """A named, visible property with a closed list of values.

    Attributes:
        name: such as ``"hair_color"``.
        values: the value names, in the order of their indices.
        weights: probability of each value in the training distribution.
        given: optional correlation: name of an earlier attribute and, for each of its value indices, other weights.
    """

    name: str
    values: tuple[str, ...]
    weights: tuple[float, ...]
    given: tuple[str, dict[int, tuple[float, ...]]] | None = None

    def __post_init__(self) -> None:
        tables = [self.weights, *(self.given[1].values() if self.given else ())]
        for table in tables:
            if len(table) != len(self.values) or abs(sum(table) - 1.0) > 1e-6 or min(table) < 0:
                raise ValueError(f"attribute {self.name}: weights {table} do not fit {len(self.values)} values")


@dataclass(frozen=True)
class Factors:
    """The factors of a batch of pictures.

    Attributes:
        attributes: value indices, int64 [B, A].
        identity: geometry that must survive edits, float32 [B, I] in [0, 1].
        nuisance: position, scale and light, float32 [B, U] in [0, 1].
    """

    attributes: Tensor
    identity: Tensor
    nuisance: Tensor

    def __len__(self) -> int:
        return len(self.attributes)

    def __getitem__(self, index: slice | Tensor | Sequence[int]) -> Factors:
        keep = index if isinstance(index, slice) else torch.as_tensor(index)
        return Factors(self.attributes[keep], self.identity[keep], self.nuisance[keep])


def concatenate(parts: Sequence[Factors]) -> Factors:
    """Concatenate batches."""
    return Factors(
        torch.cat([p.attributes for p in parts]),
        torch.cat([p.identity for p in parts]),
        torch.cat([p.nuisance for p in parts]),
    )


class FactorSpace:
    """The random variables of a world.

    Args:
        attributes: categorical factors; a correlated one comes after the one it depends on.
        identity: names of the identity factors.
        nuisance: names of the nuisance factors.
    """

    def __init__(self, attributes: Sequence[Attribute], identity: Sequence[str], nuisance: Sequence[str]) -> None:
        self.attributes = tuple(attributes)
        self.identity = tuple(identity)
        self.nuisance = tuple(nuisance)
        self._position = {a.name: i for i, a in enumerate(self.attributes)}

    @property
    def count(self) -> int:
        """Number of random numbers per picture."""
        return len(self.attributes) + len(self.identity) + len(self.nuisance)

    @property
    def vector_size(self) -> int:
        """Length of `vector`: one-hot attributes, then continuous factors."""
        return sum(len(a.values) for a in self.attributes) + len(self.identity) + len(self.nuisance)

    def index(self, name: str) -> int:
        """Return the position of an attribute by name."""
        return self._position[name]

    def from_normal(self, normal: Tensor) -> Factors:
        """Convert standard normal numbers [B, count] to factors by inverse distribution functions."""
        uniform = torch.special.ndtr(normal.double()).float().clamp(1e-6, 1 - 1e-6)
        drawn: list[Tensor] = []
        for i in range(len(self.attributes)):
            edges = self._table(i, drawn, len(uniform)).cumsum(1)[:, :-1].contiguous()
            drawn.append((uniform[:, i : i + 1] >= edges).sum(1))
        a, i = len(self.attributes), len(self.identity)
        return Factors(torch.stack(drawn, 1), uniform[:, a : a + i].clone(), uniform[:, a + i :].clone())

    def to_normal(self, factors: Factors, generator: torch.Generator) -> Tensor:
        """Draw normal numbers [B, count] that `from_normal` converts to these factors."""
        values = list(factors.attributes.unbind(1))
        place = torch.rand(len(factors), len(values), generator=generator)
        columns = []
        for i, own in enumerate(values):
            table = self._table(i, values, len(factors)).double()
            width = table.gather(1, own[:, None])[:, 0]
            # Away from the edges by more than their rounding.
            columns.append(table.cumsum(1).gather(1, own[:, None])[:, 0] - width * (1e-4 + (1 - 2e-4) * place[:, i]))
        uniform = torch.cat([torch.stack(columns, 1), factors.identity.double(), factors.nuisance.double()], 1)
        return torch.special.ndtri(uniform.clamp(1e-6, 1 - 1e-6)).float()

    def _table(self, i: int, values: Sequence[Tensor], n: int) -> Tensor:
        """Return weights [n, values] of attribute ``i`` given the values of those before it."""
        attribute = self.attributes[i]
        table = torch.tensor(attribute.weights).expand(n, -1).clone()
        if attribute.given is not None:
            parent, tables = attribute.given
            for value, weights in tables.items():
                table[values[self.index(parent)] == value] = torch.tensor(weights)
        return table

    def sample(self, n: int, generator: torch.Generator) -> Factors:
        """``n`` pictures of the training distribution."""
        return self.from_normal(torch.randn(n, self.count, generator=generator))

    def vector(self, factors: Factors) -> Tensor:
        """Factors -> [B, vector_size]: centred one-hots and continuous factors of about unit variance."""
        parts = []
        for i, attribute in enumerate(self.attributes):
            one_hot = torch.nn.functional.one_hot(factors.attributes[:, i], len(attribute.values)).float()
            parts.append((one_hot - 1.0 / len(attribute.values)) * math.sqrt(2.0))
        parts.append((torch.cat([factors.identity, factors.nuisance], 1) - 0.5) * _UNIFORM_GAIN)
        return torch.cat(parts, 1)
