"""List what the authors' flow of faces is told, and which texts ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, RootModel
from torch import Tensor

from textedit_bench.documents import read_document
from textedit_bench.errors import UserError
from textedit_bench.per_prompt import normalised

LIGHT = 9
"""Spherical harmonics of the light, which come first in the condition."""
_ANY = "*"


class Condition(BaseModel):
    """What a photo shows, in the order of the condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    light: Annotated[list[FiniteFloat], Field(min_length=LIGHT, max_length=LIGHT)]
    gender: FiniteFloat
    """1: a man."""
    glasses: FiniteFloat
    yaw: FiniteFloat
    """Of the head, as the next one in degrees."""
    pitch: FiniteFloat
    baldness: FiniteFloat
    beard: FiniteFloat
    age: FiniteFloat
    """Years."""
    expression: FiniteFloat
    """How much of a smile, 0 to 1 as those without a unit."""


ATTRIBUTES = [name for name in Condition.model_fields if name != "light"]
WIDTH = LIGHT + len(ATTRIBUTES)
"""Numbers of a condition."""


class Asked(NamedTuple):
    """An edit of the authors' tool.

    Attributes:
        column: the attribute's place in the condition.
        value: the end of its slider that a text asks for.
        degree: how far it goes there, 1 for all the way.
        rows: of W+ that are taken from the edit.
    """

    column: int
    value: float
    degree: float
    rows: slice


_EDITS = (
    ("man male masculine", "gender", 1.0, 1.5, slice(0, 8)),
    ("woman female feminine", "gender", 0.0, 1.5, slice(0, 8)),
    ("glasses eyeglasses", "glasses", 1.0, 2.5, slice(2, 4)),
    ("bald baldness", "baldness", 1.0, 2.0, slice(0, 6)),
    ("beard bearded", "beard", 1.0, 1.7, slice(5, 10)),
    ("old elderly", "age", 65.0, 0.93, slice(4, 8)),
    ("young", "age", 0.0, 0.93, slice(4, 8)),
    ("smile smiling happy", "expression", 1.0, 1.0, slice(4, 6)),
)
"""Words (ours: the tool has sliders), attribute, end of its slider, degree, rows."""
_FILLERS = {"a", "an", "the", "with", "wearing", "having", "face", "person", "portrait", "photo", "of"}


def asked_for(words: str) -> Asked | None:
    """The one edit that a text asks for; None for any other text."""
    told = set(normalised(words).split()) - _FILLERS
    for known, name, value, degree, rows in _EDITS:
        if told and told <= set(known.split()):
            return Asked(LIGHT + ATTRIBUTES.index(name), value, degree, rows)
    return None


def read_conditions(path: str) -> dict[str, Tensor]:
    """Photo id -> condition [17] of a YAML file of `Condition`; ``*`` stands for all others.

    Raises:
        UserError: the file is missing, or a field is wrong; names field and line.
    """
    found = read_document(Path(path), RootModel[dict[str, Condition]], "contexts").root
    return {
        name: torch.tensor([*one.light, *(getattr(one, attribute) for attribute in ATTRIBUTES)])
        for name, one in found.items()
    }


def conditions_of(known: dict[str, Tensor], ids: tuple[str, ...], path: str) -> Tensor:
    """The conditions of photos [B, 17].

    Raises:
        UserError: a photo has none.
    """
    if absent := [name for name in ids if name not in known and _ANY not in known]:
        raise UserError(
            f"contexts {path}: nothing about photo {absent[0]!r}, nor about '*', which stands for all others"
        )
    return torch.stack([known[name if name in known else _ANY] for name in ids])
