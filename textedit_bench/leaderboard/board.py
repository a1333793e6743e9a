"""Boards: rows of several files that were measured alike, in a folder to which files are only ever added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from textedit_bench.bench.cell import digest_of
from textedit_bench.documents import read_json_document
from textedit_bench.errors import UserError
from textedit_bench.files import write_json, write_text
from textedit_bench.leaderboard.exported import LARGEST, Exported, Row
from textedit_bench.report.html import render_html
from textedit_bench.report.layout import Block, Line, Page, entry_of
from textedit_bench.report.rows import ColumnSpec, column_specs

ENTRIES, RUNS, LOG, PAGE = "entries", "runs", "log.txt", "index.html"
TITLE = "Leaderboard: text-driven editing with StyleGAN"
LEAD = (
    "Each table holds results that were measured alike: the same photos, prompts, networks and metrics. Results of "
    "different tables are not comparable. Brackets: 95 % interval; methods whose intervals overlap may be equal. "
    "Controls are in italics."
)


def add_files(folder: Path, given: Sequence[Exported]) -> list[Exported]:
    """Keep files, and the manifests in them, in the folder of a leaderboard; all of its files as they came.

    Raises:
        UserError: a file that was added earlier is gone or was changed.
    """
    log, found = folder / LOG, {}
    for name in log.read_text(encoding="utf-8").split() if log.is_file() else []:
        path = folder / ENTRIES / f"{name}.json"
        found[name] = read_json_document(path, Exported, "result file", LARGEST)
        if found[name].digest != name:
            raise UserError(f"result file {path}: it is not what {LOG} says; files are added, never changed")
    for name in (ENTRIES, RUNS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for one in given:
        if one.digest not in found:
            write_text(folder / ENTRIES / f"{one.digest}.json", one.model_dump_json())
            found[one.digest] = one
            for name in one.runs.keys() - {path.stem for path in (folder / RUNS).iterdir()}:
                write_json(folder / RUNS / f"{name}.json", one.runs[name])
    write_text(log, "".join(f"{name}\n" for name in found))
    return list(found.values())


def boards_of(files: Sequence[Exported]) -> list[Block]:
    """One board per protocol, with notes how it was measured and where each row comes from.

    A row that several files hold alike is shown once, as the first one's.
    """
    boards: dict[str, tuple[tuple[str, list[str], list[ColumnSpec]], dict[str, tuple[Exported, Row]]]] = {}
    for one in files:
        alike: dict[str, list[Row]] = {}
        for row in one.rows:
            cells = one.cells_of(row).cells
            asked = sorted([c.identity.prompt_id, asdict(c.identity.prompt), asdict(c.identity.images)] for c in cells)
            where = cells[0].identity.dataset, cells[0].identity.tier, row.prompt_set, cells[0].protocol_key, asked
            alike.setdefault(json.dumps(where), []).append(row)
        for shared, rows in alike.items():
            measured = sorted({(metric, figure[3]) for row in rows for metric, figure in row.figures.items()})
            key = digest_of({"shared": shared, "measured": measured})
            _, own = boards.setdefault(key, (_measured(one, rows[0], measured), {}))
            for row in rows:
                own.setdefault(json.dumps([row.cells, row.figures]), (one, row))
    found = [_board(*facts, own.values()) for facts, own in boards.values()]
    return sorted(found, key=lambda board: (board.title, board.notes))


def _measured(one: Exported, row: Row, measured: Sequence[tuple[str, str]]) -> tuple[str, list[str], list[ColumnSpec]]:
    """Title of a board, how it was measured, and its columns."""
    cells = one.cells_of(row).cells
    first = cells[0].identity
    title = f"{first.dataset}, tier {first.tier}, {row.prompt_set} prompts: {len(cells)} x {first.images.count} photos"
    facts = [
        f"Photos: {first.images.split}, digest {first.images.digest}; seed {first.seed}; device {first.device}.",
        f"Prompts: {', '.join(cell.identity.prompt.words for cell in cells)}.",
        f"Networks: {', '.join(f'{role} {digest}' for role, digest in first.networks.items())}.",
    ]
    protocols = {name: asdict(one.protocols[first.dataset][name]) for name, _ in measured}
    return title, [*facts, *(protocol for _, protocol in measured)], column_specs(protocols)


def _board(title: str, facts: list[str], columns: list[ColumnSpec], rows: Iterable[tuple[Exported, Row]]) -> Block:
    lines = []
    for one, row in rows:
        own = one.cells_of(row)
        figures = {spec: np.array(row.figures.get(spec.name, [None] * 4)[:3], np.float64) for spec in columns}
        entries = tuple(entry_of(spec, *figure.tolist()) for spec, figure in figures.items())
        lines.append(Line(own.title, own.control, one.by, entries))
        made = own.cells[0].manifest.infer
        code = " ".join(str(made.environment.get(name) or "") for name in ("textedit_bench", "git_revision"))
        where = f"file {one.digest[:16]}, runs {', '.join(row.cells)}"
        facts.append(f"{own.title} ({one.by}): {made.finished[:10]}, textedit_bench {code.strip()}, {where}")
    heads = "Method", "From", *(f"{spec.title} {spec.arrow}" for spec in columns)
    return Block(title, tuple(sorted(lines, key=lambda line: line.control)), heads, tuple(facts))


def write_page(folder: Path, boards: Sequence[Block]) -> Path:
    """Write the page of a leaderboard; every text is escaped, nothing is loaded from elsewhere."""
    write_text(folder / PAGE, render_html(Page(TITLE, (), tuple(boards), (), LEAD)))
    return folder / PAGE
