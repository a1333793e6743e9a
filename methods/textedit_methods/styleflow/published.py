"""List what the authors' flow of faces is told, and which texts ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
from pydantic import ConfigDict, Field, FiniteFloat, RootModel, create_model
from torch import Tensor

from textedit_bench.documents import read_document
from textedit_bench.errors import UserError
from textedit_bench.per_prompt import normalised

LIGHT = 9
"""Spherical harmonics of the light, which come first in the condition."""
ATTRIBUTES = ("gender", "glasses", "yaw", "pitch", "baldness", "beard", "age", "expression")
"""In their order: 1 is a man; yaw and pitch are degrees, the age is years; the others go from 0 to 1."""
WIDTH = LIGHT + len(ATTRIBUTES)
"""Numbers of a condition."""
_LIGHT: Any = (Annotated[list[FiniteFloat], Field(min_length=LIGHT, max_length=LIGHT)], ...)
_REST: dict[str, Any] = {name: (FiniteFloat, ...) for name in ATTRIBUTES}
_CONDITION = create_model("Condition", __config__=ConfigDict(extra="forbid"), light=_LIGHT, **_REST)
_ANY = "*"


class Edit(NamedTuple):
    """An edit of the authors' tool, words that ask for it (ours: the tool has sliders), how far it goes, rows of W+."""

    words: str
    attribute: str
    value: float
    """The end of the slider."""
    degree: float
    """Share of the way there; above 1: beyond."""
    rows: slice
    """Taken from the edit; the others stay."""

    @property
    def column(self) -> int:
        """The attribute's place in the condition."""
        return LIGHT + ATTRIBUTES.index(self.attribute)


EDITS = (
    Edit("man male masculine", "gender", 1.0, 1.5, slice(0, 8)),
    Edit("woman female feminine", "gender", 0.0, 1.5, slice(0, 8)),
    Edit("glasses eyeglasses", "glasses", 1.0, 2.5, slice(2, 4)),
    Edit("bald baldness", "baldness", 1.0, 2.0, slice(0, 6)),
    Edit("beard bearded", "beard", 1.0, 1.7, slice(5, 10)),
    Edit("old elderly", "age", 65.0, 0.93, slice(4, 8)),
    Edit("young", "age", 0.0, 0.93, slice(4, 8)),
    Edit("smile smiling happy", "expression", 1.0, 1.0, slice(4, 6)),
)
_FILLERS = {"a", "an", "the", "with", "wearing", "having", "face", "person", "portrait", "photo", "of"}


def asked_for(words: str) -> Edit | None:
    """The one edit that a text asks for; None for any other text."""
    told = set(normalised(words).split()) - _FILLERS
    return next((edit for edit in EDITS if told and told <= set(edit.words.split())), None)


def read_conditions(path: str) -> dict[str, Tensor]:
    """Photo id -> condition [17] of a YAML file; ``*`` stands for all others.

    Raises:
        UserError: the file is missing, or a field is wrong; names field and line.
    """
    found = read_document(Path(path), RootModel[dict[str, _CONDITION]], "contexts").model_dump()  # type: ignore[valid-type]
    return {name: torch.tensor([*one.pop("light"), *one.values()]) for name, one in found.items()}


def conditions_of(known: dict[str, Tensor], ids: Sequence[str | None], path: str) -> Tensor:
    """The conditions of photos [B, 17]; ``*`` is that of codes without an id.

    Raises:
        UserError: a photo has none.
    """
    told = [name if name is not None and name in known else _ANY for name in ids]
    if _ANY in told and _ANY not in known:
        about = "codes without an id" if (name := ids[told.index(_ANY)]) is None else f"photo {name!r}"
        raise UserError(f"contexts {path}: nothing about {about}, and no '*' for all others")
    return torch.stack([known[name] for name in told]) if told else torch.zeros(0, WIDTH)
