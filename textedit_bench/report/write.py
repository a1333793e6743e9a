"""Write every table, analysis and picture of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.inputs import INVERSION, PHOTO
from textedit_bench.bench.kept import PICTURES, SHOWN
from textedit_bench.bench.pictures import read_pictures
from textedit_bench.bench.plan import DatasetPlan
from textedit_bench.bench.prompts import unique_slug
from textedit_bench.bench.request import CENSUS
from textedit_bench.bench.session import ScoredDataset
from textedit_bench.bench.store import Store
from textedit_bench.data.pixels import save_picture
from textedit_bench.devices import fixed_threads
from textedit_bench.files import locked, write_text
from textedit_bench.registry import method_info
from textedit_bench.report.audit import (
    audit_frame,
    audit_markdown,
    judge_rankings_frame,
    judge_rankings_markdown,
    overfit_frame,
    scored_edits,
)
from textedit_bench.report.collect import CellFilter, ComparableCells, StoredCell, collect, stored_cells, uncopied
from textedit_bench.report.control_checks import check_controls, write_checks
from textedit_bench.report.cost import cost_frame, cost_markdown
from textedit_bench.report.figures.canvas import Look, looks_of
from textedit_bench.report.figures.every import save_figure
from textedit_bench.report.figures.overview import draw_overview, shown_columns
from textedit_bench.report.formats import frame_csv, render_csv, render_latex, render_markdown, render_plain
from textedit_bench.report.html import render_html
from textedit_bench.report.leakage import draw_leakage, leakage_frame, leakage_markdown
from textedit_bench.report.paired_tests import paired_tests_frame, pairs_markdown
from textedit_bench.report.pooled import pooled_frame, pooled_markdown, ranks_frame, ranks_markdown
from textedit_bench.report.rows import ColumnSpec, RowCells, titled
from textedit_bench.report.sheet import method_sheet, sweep_sheet
from textedit_bench.report.table import Table, build_table
from textedit_bench.report.table_provenance import FILE, write_provenance
from textedit_bench.report.tradeoff import draw_curves, tradeoff_frame, tradeoff_markdown


def write_analysis(collected: Sequence[ComparableCells], columns: Sequence[ColumnSpec], folder: Path) -> list[Path]:
    """Write every analysis that the records allow into a tier's folder; outdated ones are removed.

    ``pooled`` (of a census), ``matched``, ``leakage``, ``ranks``, ``pairs`` (of ``columns`` that are not in the
    loop), ``audit`` and ``judges``, each as CSV and Markdown, and one heat map per data set.
    """
    matched, leakage, ranks, judges = (
        make(collected) for make in (tradeoff_frame, leakage_frame, ranks_frame, judge_rankings_frame)
    )
    edits = scored_edits(collected)
    pairs = paired_tests_frame(collected, [spec for spec in columns if not spec.in_loop])
    pooled = pooled_frame(collected, columns)
    pages: dict[str, tuple[pd.DataFrame, Callable[[pd.DataFrame], str]]] = {
        "pooled": (pooled, partial(pooled_markdown, columns=columns)),
        "matched": (matched, tradeoff_markdown),
        "leakage": (leakage, leakage_markdown),
        "ranks": (ranks, ranks_markdown),
        "pairs": (pairs, pairs_markdown),
        "audit": (audit_frame(edits), lambda frame: audit_markdown(frame, overfit_frame(edits))),
        "judges": (judges, judge_rankings_markdown),
    }
    written: list[Path] = []
    for name, (frame, render) in pages.items():
        paths = [folder / f"{name}.csv", folder / f"{name}.md"]
        if frame.empty:
            for path in paths:
                path.unlink(missing_ok=True)
            continue
        write_text(paths[0], frame_csv(frame))
        write_text(paths[1], render(frame))
        written += paths
    for dataset, rows in leakage.groupby("dataset", sort=True):
        figure = draw_leakage(rows)
        if figure is not None:
            path = folder / str(dataset) / "leakage.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, path)
            written.append(path)
    return written


_RENDERERS = {"md": render_markdown, "csv": render_csv, "tex": render_latex, "html": render_html}


@dataclass(frozen=True)
class Reports:
    """The written files.

    Attributes:
        written: paths, the most useful ones first.
        tables: tier -> table as plain text.
        notes: remarks for readers.
        refused: why a tier has no table: controls with wrong scores.
    """

    written: tuple[Path, ...]
    tables: dict[str, str]
    notes: tuple[str, ...]
    refused: tuple[str, ...] = ()


def write_reports(store: Store, cells: Sequence[Cell], benched: Sequence[ScoredDataset]) -> Reports:
    """Write tables of every tier of the bench from all comparable stored cells, and its methods' picture sheets.

    A tier with wrong controls gets none, and those of earlier runs are removed: its metrics cannot be trusted.
    """
    parts = []
    for tier in sorted({data.plan.tier for data in benched}):
        with locked(store.root / tier):  # another bench may end at the same time; its tables must not mix with these
            parts.append(_write_tier(store, tier, cells, [data for data in benched if data.plan.tier == tier]))
    return Reports(
        tuple(path for part in parts for path in part.written),
        {tier: text for part in parts for tier, text in part.tables.items()},
        tuple(note for part in parts for note in part.notes),
        tuple(reason for part in parts for reason in part.refused),
    )


def _write_tier(store: Store, tier: str, cells: Sequence[Cell], benched: Sequence[ScoredDataset]) -> Reports:
    """Write tables and sheets of one tier."""
    request = benched[0].plan.request
    notes: list[str] = []
    with fixed_threads(request.threads):
        collected = _collect(store, tier, cells, benched)
        plans = {data.plan.card.name: data.plan for data in benched}
        for part in collected:
            plan = plans.get(part.dataset, benched[0].plan)
            if not plan.standard:
                part.notes.append(f"{part.dataset}: NOT the standard protocol: {_protocol(plan, part)}.")
        if not any(part.cells for part in collected):
            return Reports((), {}, ())
        folder = store.root / tier
        checks = [check for part in collected for check in check_controls(part)]
        written = write_checks(checks, folder)
        wrong = [check for check in checks if not check.passed]
        if wrong:
            _remove_reports(folder, collected)
            return Reports(tuple(written), {}, (), tuple(f"tier {tier}: {check.sentence}" for check in wrong))
        table = build_table(tier, collected)
    written += write_table_files(table, folder)
    written.append(write_provenance(collected, folder))
    written += write_analysis(collected, table.columns, folder)
    written += _write_cost(collected, folder)
    looks = looks_of(collected)
    for part in collected:
        notes += part.notes
        written += _write_figures(folder / part.dataset, part, table, looks)
        written += _write_sheets(store, tier, part, {cell.method for cell in cells if not cell.control})
    return Reports(tuple(written), {tier: render_plain(table)}, tuple(notes))


def write_table_files(table: Table, folder: Path, name: str = "table") -> list[Path]:
    """Write a table in every format; the same table gives the same bytes."""
    paths = []
    for ending, render in _RENDERERS.items():
        path = folder / f"{name}.{ending}"
        write_text(path, render(table))
        paths.append(path)
    return paths


def _remove_reports(folder: Path, collected: Sequence[ComparableCells]) -> None:
    """Remove a tier's table, the record of its cells, costs, analyses, and figures of these data sets."""
    write_analysis((), (), folder)
    names = [FILE, *(f"table.{ending}" for ending in _RENDERERS), "cost.csv", "cost.md"]
    names += [f"{part.dataset}/{name}.png" for part in collected for name in ("overview", "curves", "leakage")]
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _collect(store: Store, tier: str, cells: Sequence[Cell], benched: Sequence[ScoredDataset]) -> list[ComparableCells]:
    """Collect comparable cells of the bench's data sets, and of other data sets with the same protocol."""
    stored = stored_cells(store, tier)
    wanted = {data.plan.card.name: cell_filter(data, cells, stored) for data in benched}
    request, images = benched[0].plan.request, benched[0].plan.images
    for cell in sorted(stored, key=lambda c: c.manifest.infer.finished):
        name, identity = cell.identity.dataset, cell.identity
        census = request.protocol == CENSUS
        same = bool(identity.images.pool) == census and (census or identity.images.count == images)
        same = same and identity.seed == request.seed
        if name in {data.plan.card.name for data in benched} or request.prompts or not same:
            continue
        if identity.strengths == list(request.strengths):
            wanted[name] = CellFilter(cell.protocol_key, frozenset(), frozenset(), cell.manifest.protocols)
    return [collect(name, stored, wanted[name]) for name in sorted(wanted)]


def cell_filter(data: ScoredDataset, cells: Sequence[Cell], stored: Sequence[StoredCell]) -> CellFilter:
    """Return the criteria by which stored cells belong to a data set of this bench."""
    plan = data.plan
    own = frozenset(cell.digest for cell in cells if cell.dataset == plan.card.name)
    run = uncopied([cell for cell in stored if cell.digest in own])
    key, prompts = run[0].protocol_key if run else "", frozenset(prompt.id for prompt in plan.prompts)
    return CellFilter(key, prompts, own, data.protocols)


def _protocol(plan: DatasetPlan, part: ComparableCells) -> str:
    request = plan.request
    images = max((cell.identity.images.count for cell in part.cells), default=plan.images)
    prompts = "chosen prompts" if request.prompts else "all prompts"
    strengths = ", ".join(format(strength, "g") for strength in request.strengths)
    return f"{images} images, {prompts}, strengths {strengths}, seed {request.seed}"


def _write_cost(collected: Sequence[ComparableCells], folder: Path) -> list[Path]:
    frame = cost_frame(collected)
    write_text(folder / "cost.csv", frame_csv(frame))
    write_text(folder / "cost.md", cost_markdown(frame))
    return [folder / "cost.csv", folder / "cost.md"]


def _write_figures(folder: Path, part: ComparableCells, table: Table, looks: Mapping[str, Look]) -> list[Path]:
    rows = table.frame[table.frame["dataset"] == part.dataset]
    if rows.empty:
        return []
    drawn = {
        folder / "overview.png": draw_overview(rows, shown_columns(table.columns), looks),
        folder / "curves.png": draw_curves(part, looks),
    }
    for path, figure in drawn.items():
        if figure is not None:
            save_figure(figure, path)
    return [path for path, figure in drawn.items() if figure is not None]


def _write_sheets(store: Store, tier: str, part: ComparableCells, methods: set[str]) -> list[Path]:
    written: list[Path] = []
    if part.inputs is None or not part.cells:
        return written
    first = part.images[:SHOWN]
    pictures = read_pictures(part.inputs / PICTURES, first, [PHOTO, INVERSION], part.pool)
    photos = {name: dict(zip(first, group, strict=True)) for name, group in pictures.items()}
    for method in sorted(methods):
        for title, row, cells in titled(row for row in part.rows if row.method == method):
            for name, draw in (("sheet", method_sheet), ("strengths", sweep_sheet)):
                path = store.method(tier, part.dataset, method) / f"{name}{sheet_ending(row)}.png"
                save_picture(draw(part, title, cells, photos), path)
                written.append(path)
    return written


def sheet_ending(row: RowCells) -> str:
    """Return what tells the sheets of a variant or of changed settings from those of the published method."""
    own = row.cells[0].identity
    changed = method_info(row.method).changed_settings(own.settings, own.tier)
    settings = ", ".join(f"{name}={value}" for name, value in sorted(changed.items()))
    return "".join(f"-{part}" for part in (own.variant, settings and unique_slug(settings)) if part)
