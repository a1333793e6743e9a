"""Where generated pictures lie in the results folder, apart from the edits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textedit_bench.bench.cell import Cell, digest_of
from textedit_bench.bench.store import MANIFEST, SET_ASIDE, ResultFolder, Store

FOLDER = "_generated"
"""Beside the methods' folders; names that begin with ``_`` are no methods, so tables of edits pass it over."""


class GenerationStore(Store):
    """The results folder as generation sees it: ``<root>/<tier>/<dataset>/_generated/<digest>/``."""

    def cell(self, cell: Cell) -> ResultFolder:
        """The folder of a cell."""
        return ResultFolder(self.method(cell.tier, cell.dataset, FOLDER), cell.identity())

    def manifests(self, tier: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every readable, scored cell of a tier with its manifest, by path; checksums are not looked at."""
        for path in sorted((self.root / tier).glob(f"*/{FOLDER}/*/{MANIFEST}")):
            if SET_ASIDE in path.parent.name:
                continue
            try:
                manifest = json.loads(path.read_text(encoding="utf-8"))
                complete = digest_of(manifest["identity"]) == path.parent.name and "score" in manifest
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if complete:
                yield path.parent, manifest
