"""Interface of procedural worlds: factors, pictures of them, and exact masks; and the world that a card names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar

import torch
from torch import Tensor

from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.seeds import seed_of
from textedit_bench.worlds.factors import Attribute, Factors, FactorSpace, concatenate

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
