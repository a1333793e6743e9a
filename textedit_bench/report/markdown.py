"""Render the table as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from textedit_bench.report.layout import Entry, Page, as_page
from textedit_bench.report.table import Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")


def render_markdown(table: Table | Page) -> str:
    """Render one Markdown table per block, then the footnotes."""
    page = as_page(table)
    parts = []
    for block in page.blocks:
        titles = [escape(title) for title in page.headings_of(block)]
        rows = [
            [
                f"*{escape(line.title)}*" if line.control else escape(line.title),
                escape(line.setting),
                *map(_entry, line.entries),
            ]
            for line in block.lines
        ]
        parts.append("\n".join([f"**{escape(block.title)}**", "", *table_lines(titles, rows)]))
    notes = "\n".join(f"- {escape(note)}" for note in page.footnotes)
    return "\n\n".join([*parts, notes]) + "\n"


def table_lines(headings: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> list[str]:
    """Render the lines of a Markdown table.

    Args:
        headings: Markdown, one per column.
        rows: Markdown, as many cells each.
        align: ``l`` or ``r`` per column; if empty, all but the first are right-aligned.
    """
    marks = [":--" if side == "l" else "--:" for side in align or "l" + "r" * (len(headings) - 1)]
    return [f"| {' | '.join(map(str, cells))} |" for cells in (headings, marks, *rows)]


def with_interval(value: float, low: float, high: float, form: str = ".2f") -> str:
    """Write a value with its interval in brackets; ``-`` if the value is nan, no brackets if an end is."""
    ends = f" [{low:{form}}, {high:{form}}]" if low == low and high == high else ""
    return f"{value:{form}}{ends}" if value == value else "-"


def escape(text: str) -> str:
    """Escape a text for Markdown, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def _entry(entry: Entry) -> str:
    plain = escape(entry.text) if entry.words else entry.text
    text = f"**{plain}**" if entry.bold else plain
    return f"{text} {entry.interval}".rstrip()
