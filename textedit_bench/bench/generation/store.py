"""Store generated pictures in the results folder, apart from the edits."""

from __future__ import annotations

from pathlib import Path

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.manifest import MANIFEST
from textedit_bench.bench.store import ResultFolder, Store

FOLDER = "_generated"
"""Folder next to those of methods; tables of edits ignore names that begin with ``_``."""


class GenerationStore(Store):
    """The results folder for generated pictures: ``<root>/<tier>/<dataset>/_generated/<digest>/``."""

    def cell(self, cell: Cell) -> ResultFolder:
        """Return the folder of a cell."""
        return ResultFolder(self.method(cell.tier, cell.dataset, FOLDER), cell.identity())

    def _cells(self, tier: str) -> list[Path]:
        """List the folders of a tier that may be cells."""
        return sorted(path.parent for path in (self.root / tier).glob(f"*/{FOLDER}/*/{MANIFEST}"))
