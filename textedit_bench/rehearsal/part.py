"""What a method brings to the rehearsal: the files its authors released, and its shortest edit and training.

Methods name their part in the entry points of the group ``textedit_bench.rehearsal``; a method without one edits and
trains with its defaults, which may take days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from textedit_bench.errors import UserError
from textedit_bench.rehearsal.sizes import Sizes

GROUP = "textedit_bench.rehearsal"
Writer = Callable[[Path, Sizes, str], None]
"""Writes a file at a path, for networks of some sizes, filled by a salt."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One method's part.

    Attributes:
        edit: settings of an edit of at most three steps.
        untrained: settings of an edit where nothing was released or trained; None where there is none.
        training: settings of a training of two epochs of one step.
        training_files: settings of the training that name a file -> what writes it.
        endless: the training cannot be made short: it is stopped by time, resumed, and stopped again.
        released: data set -> asset id -> what writes that file in the authors' layout.
        phrases: data set -> the words that the released files belong to, where they belong to some.
    """

    edit: Mapping[str, Any] = field(default_factory=dict)
    untrained: Mapping[str, Any] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    training_files: Mapping[str, Writer] = field(default_factory=dict)
    endless: bool = False
    released: Mapping[str, Mapping[str, Writer]] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)


def parts() -> dict[str, Part]:
    """Method -> its part.

    Raises:
        UserError: an entry point is broken.
    """
    found = {}
    for point in entry_points(group=GROUP):
        try:
            part = point.load()
        except Exception as error:  # a stranger's module may do anything when imported
            raise UserError(f"rehearsal of {point.name}: {point.value} cannot be imported ({error})") from error
        if not isinstance(part, Part):
            raise UserError(f"rehearsal of {point.name}: {point.value} is a {type(part).__name__}, not a Part")
        found[point.name] = part
    return found
