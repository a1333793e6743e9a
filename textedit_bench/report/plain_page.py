"""Render a page as plain text for a terminal."""

from __future__ import annotations

import textwrap

from textedit_bench.report.layout import Entry, Line, Page

_LONGEST = 44
"""Maximum characters of a column; longer texts are truncated, but complete in the files."""


def render_plain_page(page: Page) -> str:
    """Render aligned columns, one part per block, then the footnotes; ``*`` after a number marks the best."""
    parts = [page.title]
    for block in page.blocks:
        rows = [list(page.headings), *(_cells(line) for line in block.lines)]
        widths = [min(_LONGEST, max(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
        lines = [
            "  ".join(_cut(text, width).ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows
        ]
        parts.append("\n".join([block.title, *(line.rstrip() for line in lines)]))
    notes = [textwrap.fill(note, 110, initial_indent="- ", subsequent_indent="  ") for note in page.footnotes]
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def _cells(line: Line) -> list[str]:
    return [line.title, line.setting, *(_text(entry) for entry in line.entries)]


def _text(entry: Entry) -> str:
    return f"{entry.text}{'*' if entry.bold else ''} {entry.interval}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
