"""List what the authors' flow of faces is told, and which texts ask for it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.per_prompt import normalised


class Attribute(NamedTuple):
    """One number of the condition.

    Attributes:
        degree: how far it goes towards what is asked, 1 for all the way.
        start, end: rows of W+ that are taken from the edit, from ``start`` to before ``end``.
    """

    degree: float
    start: int
    end: int


LIGHT = 9
"""Spherical harmonics of the light, before the attributes."""
ATTRIBUTES = {
    "gender": Attribute(1.5, 0, 8),
    "glasses": Attribute(2.5, 2, 4),
    "yaw": Attribute(1.0, 0, 4),
    "pitch": Attribute(1.0, 0, 4),
    "baldness": Attribute(2.0, 0, 6),
    "beard": Attribute(1.7, 5, 10),
    "age": Attribute(0.93, 4, 8),
    "expression": Attribute(1.0, 4, 6),
}
"""Name -> its edit, in the order of the condition: 1 is a man; degrees of yaw and pitch; years; the others 0 to 1."""
COLUMNS = (*(f"light{number}" for number in range(LIGHT)), *ATTRIBUTES)
"""Of a file of conditions, behind ``id``."""
_ASKED = {
    ("gender", 1.0): "man male masculine",
    ("gender", 0.0): "woman female feminine",
    ("glasses", 1.0): "glasses eyeglasses",
    ("baldness", 1.0): "bald baldness",
    ("beard", 1.0): "beard bearded",
    ("age", 65.0): "old elderly",
    ("age", 0.0): "young",
    ("expression", 1.0): "smile smiling happy",
}
"""Attribute and the end of its slider -> words (ours; the authors' tool has sliders)."""
_FILLERS = frozenset(["a", "an", "the", "with", "wearing", "having", "face", "person", "portrait", "photo", "of"])
_ANY = "*"


class Asked(NamedTuple):
    """An attribute and the value that it is to have."""

    name: str
    value: float


def asked_for(words: str) -> Asked | None:
    """The one attribute that a text asks for; None for any other text."""
    told = set(normalised(words).split()) - _FILLERS
    found = [Asked(*key) for key, known in _ASKED.items() if told and told <= set(known.split())]
    return found[0] if found else None


def read_conditions(path: Path) -> dict[str, Tensor]:
    """Photo id -> condition [17] of a CSV file with the columns ``id`` and `COLUMNS`; ``*`` stands for all others.

    Raises:
        UserError: the file is missing, a column is, or a value is no finite number; names line and column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("id", *COLUMNS) if name not in (table.fieldnames or ())]
            if missing:
                raise UserError(f"contexts: {path}: no column {', '.join(missing)}; valid: id, {', '.join(COLUMNS)}")
            return {row["id"]: torch.tensor([_number(path, table.line_num, row, n) for n in COLUMNS]) for row in table}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"contexts: {path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _number(path: Path, line: int, row: dict[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = float("nan")
    if not abs(value) < float("inf"):
        raise UserError(f"contexts: {path}, line {line}: {name} is {row[name]!r}; valid: finite numbers")
    return value


def conditions_of(known: dict[str, Tensor], ids: tuple[str, ...], path: str) -> Tensor:
    """The conditions of photos [B, 17].

    Raises:
        UserError: a photo has none.
    """
    absent = [name for name in ids if name not in known and _ANY not in known]
    if absent:
        raise UserError(f"contexts: {path} has no row for photo {absent[0]!r}, and none for '*'")
    return torch.stack([known.get(name, known.get(_ANY, torch.empty(0))) for name in ids])
