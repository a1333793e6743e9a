"""Write tables and contact sheets of generated pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.session import ScoredDataset
from textedit_bench.bench.store import Store
from textedit_bench.data.pixels import save_picture
from textedit_bench.devices import fixed_threads
from textedit_bench.report.collect import ComparableCells, StoredCell, collect, stored_cells
from textedit_bench.report.formats import render_plain
from textedit_bench.report.rows import titled
from textedit_bench.report.sheet import SheetRow, draw_sheet
from textedit_bench.report.table import build_table
from textedit_bench.report.write import Reports, cell_filter, sheet_ending, write_table_files

COLUMNS = ("success", "r_precision", "clip_score", "clip_score_in_loop", "pair_distance", "same_subject", "fid_real")
NAME = "generation"
SHOWN = 8
"""Pictures per prompt on a sheet: the first ones, without selection."""


def write_generation(store: Store, cells: Sequence[Cell], benched: Sequence[ScoredDataset]) -> Reports:
    """Write the table of every tier from all comparable stored cells, and one sheet per method of this run."""
    written: list[Path] = []
    tables: dict[str, str] = {}
    notes: list[str] = []
    for tier in sorted({data.plan.tier for data in benched}):
        own = [data for data in benched if data.plan.tier == tier]
        stored = stored_cells(store, tier)
        collected = [collect(data.plan.card.name, stored, cell_filter(data, cells, stored)) for data in own]
        if not any(part.cells for part in collected):
            continue
        with fixed_threads(own[0].plan.request.threads):
            table = build_table(tier, collected, COLUMNS)
        written += write_table_files(table, store.root / tier, NAME)
        tables[tier] = render_plain(table)
        for part in collected:
            notes += part.notes
            written += _write_sheets(store, tier, part, sorted({cell.method for cell in cells}))
    return Reports(tuple(written), tables, tuple(notes))


def _write_sheets(store: Store, tier: str, part: ComparableCells, methods: Sequence[str]) -> list[Path]:
    written = []
    for method in methods:
        for title, row, cells in titled(row for row in part.rows if row.method == method):
            path = store.method(tier, part.dataset, method) / f"{NAME}{sheet_ending(row)}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_picture(generation_sheet(f"{title} on {part.dataset}, tier {tier}: generated", cells), path)
            written.append(path)
    return written


def generation_sheet(title: str, cells: Sequence[StoredCell]) -> Image.Image:
    """Draw the first pictures of every prompt of one method, a row per prompt."""
    rows = []
    for cell in sorted(cells, key=lambda cell: cell.identity.prompt_id):
        (pictures,) = cell.pictures(cell.manifest.infer.ids[:SHOWN], [cell.listing.default_strength])
        rows.append(SheetRow(cell.identity.prompt.words, tuple(pictures)))
    columns = max(len(row.pictures) for row in rows)
    return draw_sheet(title, [""] * columns, [rows])
