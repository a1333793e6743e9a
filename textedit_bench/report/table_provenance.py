"""Record which stored cells the last written table contains, in ``table.json`` next to it, and collect them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import write_json
from textedit_bench.report.collect import CellFilter, ComparableCells, StoredCell, collect, stored_cells, uncopied

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


def collect_stored(store: Store, tier: str, datasets: Sequence[str] = ()) -> list[ComparableCells]:
    """Collect comparable stored cells per data set, by name, without running anything.

    They are those of the last written table, so that page and table agree. If the table does not contain the data set,
    or its cells are missing, cells of one protocol (images, networks, strengths, seed, and scoring) are used: the one
    with the most cells, or of several the one finished last.

    Raises:
        UserError: nothing is stored, or a requested data set has no stored cells.
    """
    stored = stored_cells(store, tier)
    names = sorted({cell.identity.dataset for cell in stored})
    if not names:
        raise UserError(f"results {store.root}: no scored cell of tier {tier}; run bench first")
    for name in datasets:
        if name not in names:
            raise unknown_choice(f"data set with results of tier {tier}", name, names)
    behind = read_behind(store.root / tier)
    found = []
    for name in datasets or names:
        own = [cell for cell in stored if cell.identity.dataset == name]
        shown = [cell for cell in own if cell.digest in behind.get(name, ())]
        if shown and len(shown) == len(behind[name]):
            own = shown
        best = _fullest(own)
        wanted = CellFilter(best.protocol_key, frozenset(), frozenset(), best.manifest.protocols)
        found.append(collect(name, own, wanted))
    return found


def _fullest(cells: Sequence[StoredCell]) -> StoredCell:
    """Return the last finished cell of the protocol with the most cells; copies follow those that they copy."""
    cells = uncopied(cells)
    counts: dict[tuple[str, str], int] = {}
    for cell in cells:
        counts[_protocol(cell)] = counts.get(_protocol(cell), 0) + 1
    return max(cells, key=lambda c: (counts[_protocol(c)], c.manifest.infer.finished, c.digest))


def _protocol(cell: StoredCell) -> tuple[str, str]:
    scored = cell.manifest.protocols
    return cell.protocol_key, "|".join(f"{name}={scored[name]['id']}" for name in sorted(scored))
