"""Define a control: it makes pictures from what the runner knows, and says what they must score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textedit_bench.controls.cards import ControlInfo
from textedit_bench.editor import Editor

if TYPE_CHECKING:
    from textedit_bench.bench.material import CellMaterial
    from textedit_bench.report.control_checks import Finding, RowScores


class Control(Editor):
    """A control; subclasses set ``info`` and implement `edit` and `expect`."""

    info: ClassVar[ControlInfo]

    def make(self, material: CellMaterial) -> Control:
        """The control as it edits some images of a cell, with what the runner knows of them.

        Raises:
            NotApplicableError: what it needs is not there.
        """
        return self

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """What its row must score, and whether it does."""
        raise NotImplementedError
