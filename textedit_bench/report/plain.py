"""The table as plain text for a terminal."""

from __future__ import annotations

from textedit_bench.report.layout import Entry, blocks, headings
from textedit_bench.report.table import Table


def render_plain(table: Table) -> str:
    """Aligned columns; ``*`` marks the best, intervals stand in brackets."""
    titles = headings(table)
    parts = []
    for block in blocks(table):
        rows = [[line.title, line.strength, *(_entry(entry) for entry in line.entries)] for line in block.lines]
        # Two lines of heading keep wide titles from stretching the columns.
        widths = [max(len(row[i]) for row in [*_wrapped(titles), *rows]) for i in range(len(titles))]
        lines = [block.title]
        lines += [_aligned(row, widths) for row in _wrapped(titles)]
        lines += ["-" * (sum(widths) + 2 * (len(widths) - 1)), *(_aligned(row, widths) for row in rows)]
        parts.append("\n".join(line.rstrip() for line in lines))
    return f"tier {table.tier}\n\n" + "\n\n".join(parts) + "\n"


def _wrapped(titles: list[str]) -> list[list[str]]:
    cut = [title.rsplit(", ", 1) if ", " in title else ["", title] for title in titles]
    return [[first for first, _ in cut], [second for _, second in cut]]


def _aligned(row: list[str], widths: list[int]) -> str:
    cells = [
        text.ljust(width) if i == 0 else text.rjust(width)
        for i, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells)


def _entry(entry: Entry) -> str:
    return f"{entry.text}{'*' if entry.bold else ''} {entry.interval}".rstrip()
