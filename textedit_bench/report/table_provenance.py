"""Record which stored cells the last written table contains, in ``table.json`` next to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from textedit_bench.files import write_json
from textedit_bench.report.collect import ComparableCells

FILE = "table.json"


def write_provenance(collected: Sequence[ComparableCells], folder: Path) -> Path:
    """Write the digests of every data set's cells."""
    facts = {part.dataset: sorted(cell.digest for cell in part.cells) for part in collected}
    path = folder / FILE
    write_json(path, facts)
    return path


def read_behind(folder: Path) -> dict[str, frozenset[str]]:
    """Return data set -> digests; empty if no table was written, or the file is damaged."""
    try:
        facts = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {str(name): frozenset(map(str, digests)) for name, digests in facts.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
