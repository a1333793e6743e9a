"""Interface of procedural worlds: factors and their distribution, pictures of them, and exact masks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar

import torch
from torch import Tensor

from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.seeds import seed_of

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


MIN_VISIBLE_PIXELS = 6
"""An attribute is asked, captioned and scored only where its mask has at least this many pixels."""


@dataclass(frozen=True)
class Render:
    """Pictures with their ground truth.

    Attributes:
        images: [B, 3, H, W] float32 in [-1, 1].
        masks: attribute name -> bool [B, H, W]: where the attribute shows, or would show where its value is an absence.
        visible: bool [B, A]: mask of at least `MIN_VISIBLE_PIXELS`.
    """

    images: Tensor
    masks: dict[str, Tensor]
    visible: Tensor


class World(ABC):
    """A renderer and the distribution of what it renders."""

    name: ClassVar[str]
    subject: ClassVar[str]
    """Neutral text, such as ``"a face"``."""
    words: ClassVar[str] = ""
    """Where the `captions.Words` of its captions are, ``"module:NAME"``; empty if it has none."""
    resolution: ClassVar[int] = 64
    detail: ClassVar[float] = 0.75
    """Widths of the generator, encoder and discriminator, as a share of the faces'; less is to be drawn elsewhere."""
    space: ClassVar[FactorSpace]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The categorical factors, in order."""
        return self.space.attributes

    def index(self, name: str) -> int:
        """Return the position of an attribute by name."""
        return self.space.index(name)

    def sample(self, n: int, generator: torch.Generator) -> Factors:
        """Draw ``n`` samples of the training distribution."""
        return self.space.sample(n, generator)

    def split_factors(self, split: str, indices: Iterable[int]) -> Factors:
        """Return factors of the photos of a split: photo i is a pure function of world, split and i."""
        return concatenate([self.sample(1, torch.Generator().manual_seed(self._seed(split, i))) for i in indices])

    def _seed(self, split: str, index: int) -> int:
        return seed_of(self.name, split, index)

    def value_indices(self, asked: Mapping[str, str]) -> dict[int, int]:
        """Return position and value index of every requested attribute.

        Args:
            asked: attribute name -> value name.

        Raises:
            UserError: the world has no such attribute or value.
        """
        positions = {attribute.name: i for i, attribute in enumerate(self.attributes)}
        found = {}
        for name, value in asked.items():
            if name not in positions:
                raise unknown_choice(f"attribute of the {self.name} world", name, positions)
            values = self.attributes[positions[name]].values
            if value not in values:
                raise unknown_choice(f"value of {name}", value, values)
            found[positions[name]] = values.index(value)
        return found

    def with_values(self, factors: Factors, asked: Mapping[str, str]) -> Factors:
        """Return the same factors with only the requested attribute values changed.

        Args:
            factors: the pictures before the edit.
            asked: attribute name -> value name.

        Raises:
            UserError: the world has no such attribute or value.
        """
        attributes = factors.attributes.clone()
        for position, value in self.value_indices(asked).items():
            attributes[:, position] = value
        return Factors(attributes, factors.identity, factors.nuisance)

    @abstractmethod
    def render(self, factors: Factors) -> Render:
        """Render a batch."""


def load_world(card: DatasetCard, tier: str) -> World | None:
    """The procedural world behind a tier's photos, or None for real ones.

    Raises:
        UserError: unknown tier, or what the card names cannot be imported or is not a world.
    """
    named = card.tier(tier).world
    if named is None:
        return None
    where = f"data set {card.name}: world {named!r}"
    module, _, name = named.partition(":")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise UserError(f"{where} cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, World)):  # a card is data: it may call nothing else
        raise UserError(f"{where} is not a world; valid: module:Class of a subclass of World")
    return found()
