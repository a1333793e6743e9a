"""Check that the controls score as expected; a table with wrong controls is not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from textedit_bench.controls.cards import CONTROLS, shown
from textedit_bench.errors import UserError
from textedit_bench.files import write_text
from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.statistics import interval
from textedit_bench.registry import load_method
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.formats import escape, table_lines
from textedit_bench.report.rows import RowCells
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.controls.editors import Control

Finding = tuple[str, str, bool]
"""The expectation, the measured value, and whether they agree."""

ENOUGH_PROMPTS, ENOUGH_IMAGES = 3, 8
"""With fewer, expectations that hold only on average are not checked; exact ones always are."""


@dataclass(frozen=True)
class Check:
    """An expectation and the measured value."""

    dataset: str
    prompt_set: str
    control: str
    expected: str
    measured: str
    passed: bool

    @property
    def sentence(self) -> str:
        """Describe the check in one line."""
        return f"{self.dataset}, {self.prompt_set} prompts, {self.control}: expected {self.expected}; {self.measured}"


@dataclass(frozen=True)
class RowScores:
    """The scores of a row, and the rows to which a control's is compared.

    Attributes:
        row: the row.
        block: all rows of its prompt set.
        part: all rows of the data set.
    """

    row: RowCells
    block: Sequence[RowCells]
    part: ComparableCells

    @property
    def truth(self) -> RowScores | None:
        """The row of pictures that really have the requested attributes of the same prompts."""
        return self._other(next((row for row in self.block if shown(row.method) == "truth"), None))

    @property
    def copied(self) -> RowScores | None:
        """The row of the method whose cells this one copies."""
        sources = {cell.identity.matched_to for cell in self.row.cells}
        return self._other(next((r for r in self.block if {cell.digest for cell in r.cells} == sources), None))

    def _other(self, row: RowCells | None) -> RowScores | None:
        return None if row is None else RowScores(row, self.block, self.part)

    def count(self, metric: str) -> int:
        """Return the number of scored edits, with or without a value."""
        return int((self.row.records["metric"] == metric).sum())

    def mean(self, metric: str) -> float:
        """Return the mean of the values of a metric; nan if there are none."""
        values = self.row.counted(metric)
        return float(values.mean()) if len(values) else np.nan

    def interval(self, metric: str) -> tuple[float, float, float] | None:
        """Compute the mean with its 95 % interval; None if too few prompts or images to call a control wrong."""
        grid = self.row.grid(metric, self.row.prompts, self.part.images)
        known = np.isfinite(grid)
        if known.any(1).sum() < ENOUGH_PROMPTS or known.any(0).sum() < ENOUGH_IMAGES:
            return None
        low, high = interval(grid, seed=seed_of(check=metric) % 2**32)
        return float(np.nanmean(grid)), low, high

    def distance_to_photos(self) -> float | None:
        """Compute the largest Frechet distance of a prompt's edits to the photos; None if unknown."""
        photos, distances = self.part.references.get("photo"), []
        for cell in self.row.cells:
            edits, there = cell.features(), [self.part.images.index(name) for name in cell.manifest.infer.ids]
            if edits is None or photos is None or len(there) < 2:
                return None
            distances.append(fid(edits[cell.identity.strengths.index(self.row.strength)], photos[there]))
        return max(distances)


def check_controls(part: ComparableCells) -> list[Check]:
    """Check every expectation that the stored rows of a data set allow; empty if no control was run."""
    rows = part.rows
    checks: list[Check] = []
    for row in rows:
        if row.method in CONTROLS:
            block = [other for other in rows if other.prompt_set == row.prompt_set]
            control = cast("type[Control]", load_method(row.method))
            for finding in control.expect(RowScores(row, block, part)):
                checks.append(Check(part.dataset, row.prompt_set, row.title, *finding))
    return checks


def refuse_wrong_controls(collected: Sequence[ComparableCells], results: Path, tier: str) -> None:
    """Refuse stored results of which a control has wrong scores: their metrics cannot be trusted.

    Raises:
        UserError: names every such control.
    """
    if wrong := [check.sentence for part in collected for check in check_controls(part) if not check.passed]:
        raise UserError(f"results {results}: controls of tier {tier} have wrong scores: {'; '.join(wrong)}")


def write_checks(checks: Sequence[Check], folder: Path) -> list[Path]:
    """Write ``controls.md``; remove an earlier one if no control was run."""
    if not checks:
        (folder / "controls.md").unlink(missing_ok=True)
        return []
    right = sum(check.passed for check in checks)
    cells = [
        [*map(escape, (c.dataset, c.prompt_set, c.control, c.expected, c.measured)), "ok" if c.passed else "**wrong**"]
        for c in checks
    ]
    said = f"{right} of {len(checks)} expectations hold. A table is written only where all of them do."
    lines = table_lines(("Data set", "Prompts", "Control", "Expected", "Measured", ""), cells, "llllll")
    write_text(folder / "controls.md", "\n".join(["# Controls", "", said, "", *lines]) + "\n")
    return [folder / "controls.md"]
