"""Render the table as plain text for a terminal: metrics as rows, methods as columns."""

from __future__ import annotations

import textwrap

from textedit_bench.report.layout import Block, Entry, Line, blocks, headings
from textedit_bench.report.table import Table

_ACROSS = 4
"""Number of methods side by side; more continue below."""
_TITLE = 24
_MARK = "*"


def render_plain(table: Table) -> str:
    """Render aligned columns; ``*`` marks the best of each metric, brackets hold the 95 % interval."""
    names = headings(table)[1:]
    parts = [f"tier {table.tier}"]
    for block in blocks(table):
        for start in range(0, len(block.lines), _ACROSS):
            parts.append(_part(block, block.lines[start : start + _ACROSS], names))
    if table.frame[[f"{column.name}_best" for column in table.columns]].any(axis=None):
        parts.append(f"{_MARK} best, or not significantly worse; controls are not ranked. Brackets: 95 % interval.")
    return "\n\n".join(parts) + "\n"


def _part(block: Block, lines: tuple[Line, ...], names: list[str]) -> str:
    titles = [textwrap.wrap(line.title, _TITLE)[:3] or [""] for line in lines]
    depth = max(len(title) for title in titles)
    padded = [[""] * (depth - len(title)) + title for title in titles]
    rows = [[name, *cells] for name, cells in zip(names, zip(*map(_cells, lines), strict=True), strict=True)]
    widths = [max(len(row[0]) for row in rows)]
    widths += [max(*(len(t) for t in title), *(len(row[i]) for row in rows)) for i, title in enumerate(titles, 1)]
    heading = [_aligned(["", *(title[k] for title in padded)], widths) for k in range(depth)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([block.title, *heading, rule, *(_aligned(row, widths) for row in rows)])


def _cells(line: Line) -> list[str]:
    return [line.setting, *(_entry(entry) for entry in line.entries)]


def _aligned(row: list[str], widths: list[int]) -> str:
    rest = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([row[0].ljust(widths[0]), *rest]).rstrip()


def _entry(entry: Entry) -> str:
    return f"{entry.text}{'*' if entry.bold else ''} {entry.interval}".rstrip()
