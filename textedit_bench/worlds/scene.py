"""Common base of all worlds' drawing: factors by name, and colours by attribute value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from textedit_bench.worlds.factors import Factors, FactorSpace

Color = tuple[int, int, int]
Palette = dict[str, Color]


class NamedFactors(NamedTuple):
    """Factors by name: value indices [B], the attributes' value names, and continuous factors [B, 1, 1] in [0, 1]."""

    values: dict[str, Tensor]
    names: dict[str, tuple[str, ...]]
    identity: dict[str, Tensor]
    nuisance: dict[str, Tensor]


def named(factors: Factors, space: FactorSpace) -> NamedFactors:
    """Return a batch of factors under the names of its space."""
    shape = (-1, 1, 1)
    return NamedFactors(
        {a.name: factors.attributes[:, i] for i, a in enumerate(space.attributes)},
        {a.name: a.values for a in space.attributes},
        {name: factors.identity[:, i].view(shape) for i, name in enumerate(space.identity)},
        {name: factors.nuisance[:, i].view(shape) for i, name in enumerate(space.nuisance)},
    )


def flat(color: Color) -> Tensor:
    """Convert a colour in 0..255 to [1, 3, 1, 1] in [0, 1]."""
    return torch.tensor(color, dtype=torch.float32).view(1, 3, 1, 1) / 255.0


@dataclass
class Scene:
    """A batch of subjects to draw. Numbers are [B, 1, 1]."""

    values: dict[str, Tensor]
    """Attribute name -> value index [B]."""
    names: dict[str, tuple[str, ...]]
    geometry: dict[str, Tensor]
    nuisance: dict[str, Tensor]

    def has(self, attribute: str, *wanted: str) -> Tensor:
        """Return bool [B]: whether the attribute has one of the values."""
        indices = [self.names[attribute].index(v) for v in wanted]
        return torch.isin(self.values[attribute], torch.tensor(indices))

    def pick(self, attribute: str, table: Palette) -> Tensor:
        """Return the colour [B, 3, 1, 1] in [0, 1] of an attribute's value."""
        rows = torch.tensor([table[v] for v in self.names[attribute]], dtype=torch.float32) / 255.0
        return rows[self.values[attribute]][:, :, None, None]
