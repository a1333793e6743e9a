"""Base class of controls: pictures from data of the runner, with expected scores."""

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
        """Create the control for some images of a cell, with data of the runner.

        Raises:
            NotApplicableError: what it needs is not there.
        """
        return self

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Return expectations for the scores of its row, and whether they hold."""
        raise NotImplementedError
