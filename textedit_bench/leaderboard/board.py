"""Boards: rows of several files that were measured alike, in a folder to which files are only ever added."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from textedit_bench.bench.cell import digest_of
from textedit_bench.documents import read_json_document
from textedit_bench.errors import UserError
from textedit_bench.files import write_json, write_text
from textedit_bench.leaderboard.exported import LARGEST, Exported, Row
from textedit_bench.report.columns import ColumnSpec, column_specs
from textedit_bench.report.layout import Entry, Line
from textedit_bench.report.self_contained import render_self_contained

ENTRIES, RUNS, LOG, PAGE = "entries", "runs", "log.txt", "index.html"


@dataclass
class Board:
    """Rows that may be compared, as the template of sortable tables wants them, and how they were measured."""

    title: str
    facts: list[str]
    columns: list[ColumnSpec]
    lines: list[tuple[Line, list[str]]] = field(default_factory=list)

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Titles of columns, and whether low or high is better."""
        metrics = [(f"{c.title} {c.arrow}", "high" if c.higher_is_better else "low") for c in self.columns]
        return [("Method", "low"), ("From", "low"), *metrics]

    def add(self, one: Exported, row: Row) -> None:
        """Add a row, and to the facts where it comes from."""
        own, entries, values = one.cells_of(row), [], []
        for spec in self.columns:
            point, low, high, _ = row.figures.get(spec.name, (None, None, None, ""))
            ends = "" if low is None or high is None else f"[{spec.text(low)}, {spec.text(high)}]"
            entries.append(Entry("-" if point is None else spec.text(point), ends))
            values.append("" if point is None else repr(point))
        self.lines.append((Line(own.title, own.control, one.by, tuple(entries)), values))
        made = own.cells[0].manifest.infer
        code = " ".join(str(made.environment.get(name) or "") for name in ("textedit_bench", "git_revision"))
        where = f"file {one.digest[:16]}, runs {', '.join(row.cells)}"
        self.facts.append(f"{own.title} ({one.by}): {made.finished[:10]}, textedit_bench {code.strip()}, {where}")


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


def boards_of(files: Sequence[Exported]) -> list[Board]:
    """One board per protocol; a row that several files hold alike is shown once, as the first one's."""
    boards: dict[str, Board] = {}
    seen = set()
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
            boards.setdefault(key, _new_board(one, rows[0], measured))
            for row in rows:
                what = key, json.dumps([row.cells, row.figures])
                if what not in seen:
                    boards[key].add(one, row)
                seen.add(what)
    for board in boards.values():
        board.lines.sort(key=lambda line: line[0].control)
    return sorted(boards.values(), key=lambda board: (board.title, board.facts))


def _new_board(one: Exported, row: Row, measured: Sequence[tuple[str, str]]) -> Board:
    cells = one.cells_of(row).cells
    first = cells[0].identity
    title = f"{first.dataset}, tier {first.tier}, {row.prompt_set} prompts: {len(cells)} x {first.images.count} photos"
    facts = [
        f"Photos: {first.images.split}, digest {first.images.digest}; seed {first.seed}; device {first.device}.",
        f"Prompts: {', '.join(cell.identity.prompt.words for cell in cells)}.",
        f"Networks: {', '.join(f'{role} {digest}' for role, digest in first.networks.items())}.",
    ]
    protocols = {name: asdict(one.protocols[first.dataset][name]) for name, _ in measured}
    return Board(title, [*facts, *(protocol for _, protocol in measured)], column_specs(protocols))


def write_page(folder: Path, boards: Sequence[Board]) -> Path:
    """Write the page of a leaderboard; every text is escaped, nothing is loaded from elsewhere."""
    files = {"scripts": ["theme.js", "tables.js"], "styles": ["page.css"]}
    page = render_self_contained("leaderboard.html", package="textedit_bench.leaderboard", boards=boards, **files)
    write_text(folder / PAGE, page)
    return folder / PAGE
