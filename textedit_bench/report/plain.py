"""Render tables as plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from textedit_bench.report.layout import Block, Entry, Line, Page, blocks, headings
from textedit_bench.report.table import Table

_ACROSS = 4
"""Number of methods side by side; more continue below."""
_TITLE = 24
_LONGEST = 44
"""Maximum characters of a column; longer texts are truncated, but complete in the files."""
_MARK = "*"


def render_plain(table: Table) -> str:
    """Render metrics as rows, methods as columns; ``*`` marks the best of each metric, brackets its 95 % interval."""
    names = headings(table)[1:]
    parts = [f"tier {table.tier}"]
    for block in blocks(table):
        for start in range(0, len(block.lines), _ACROSS):
            parts.append(_part(block, block.lines[start : start + _ACROSS], names))
    if table.frame[[f"{column.name}_best" for column in table.columns]].any(axis=None):
        parts.append(f"{_MARK} best, or not significantly worse; controls are not ranked. Brackets: 95 % interval.")
    return "\n\n".join(parts) + "\n"


def render_plain_page(page: Page) -> str:
    """Render a page's columns as they are, one part per block, then the footnotes; ``*`` marks the best."""
    parts = [page.title]
    for block in page.blocks:
        rows = [page.headings_of(block), *([line.title, *_cells(line)] for line in block.lines)]
        cut = [[text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in row] for row in rows]
        parts.append("\n".join([block.title, *_aligned(cut, str.ljust)]))
    notes = [textwrap.fill(note, 110, initial_indent="- ", subsequent_indent="  ") for note in page.footnotes]
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def _part(block: Block, lines: tuple[Line, ...], names: list[str]) -> str:
    titles = [textwrap.wrap(line.title, _TITLE)[:3] or [""] for line in lines]
    depth = max(len(title) for title in titles)
    heads = [["", *row] for row in zip(*([""] * (depth - len(title)) + title for title in titles), strict=True)]
    rows = [[name, *cells] for name, cells in zip(names, zip(*map(_cells, lines), strict=True), strict=True)]
    shown = _aligned([*heads, *rows], str.rjust)
    return "\n".join([block.title, *shown[:depth], "-" * max(map(len, shown)), *shown[depth:]])


def _cells(line: Line) -> list[str]:
    return [line.setting, *(_text(entry) for entry in line.entries)]


def _text(entry: Entry) -> str:
    return f"{entry.text}{_MARK if entry.bold else ''} {entry.interval}".rstrip()


def _aligned(rows: Sequence[Sequence[str]], align: Callable[[str, int], str]) -> list[str]:
    """Align columns: the first one to the left, the others by ``align``."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([row[0].ljust(widths[0]), *map(align, row[1:], widths[1:])] for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]
