"""What a method brings to the rehearsal: the files its authors released, and its shortest edit and training.

`textedit_workshop.rehearsal.methods` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textedit_workshop.rehearsal.sizes import Sizes

Writer = Callable[[Path, Sizes, str], None]
"""Writes a file at a path, for networks of some sizes, filled by a salt."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One method's part.

    Attributes:
        edit: settings of an edit of at most three steps.
        untrained: settings of an edit where nothing was released or trained; None if there is none.
        edit_files: settings of an edit that name a file or folder -> what writes it.
        training: settings of a training of two epochs of one step.
        training_files: settings of the training that name a file -> what writes it.
        endless: the training cannot be made short: it is stopped by time, resumed, and stopped again.
        released: data set -> asset id -> what writes that file in the authors' layout.
        datasets: data sets on which it can run; empty: any.
        generates: it generates from the text, and edits nothing.
        phrases: data set -> the words that the released files belong to, where they belong to some.
    """

    edit: Mapping[str, Any] = field(default_factory=dict)
    untrained: Mapping[str, Any] | None = None
    edit_files: Mapping[str, Writer] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    training_files: Mapping[str, Writer] = field(default_factory=dict)
    endless: bool = False
    released: Mapping[str, Mapping[str, Writer]] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    generates: bool = False
    phrases: Mapping[str, str] = field(default_factory=dict)

    def runs_on(self, dataset: str) -> bool:
        """Whether it can run on a data set."""
        return not self.datasets or dataset in self.datasets
