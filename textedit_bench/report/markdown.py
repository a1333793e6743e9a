"""The table as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from textedit_bench.report.layout import Entry, blocks, headings
from textedit_bench.report.table import Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")


def render_markdown(table: Table) -> str:
    """One Markdown table per block, then the footnotes."""
    titles = [escape(title) for title in headings(table)]
    parts = []
    for block in blocks(table):
        lines = [f"**{escape(block.title)}**", "", _row(titles), _row([":--", *["--:"] * (len(titles) - 1)])]
        for line in block.lines:
            title = f"*{escape(line.title)}*" if line.control else escape(line.title)
            lines.append(_row([title, line.strength, *(_entry(entry) for entry in line.entries)]))
        parts.append("\n".join(lines))
    notes = "\n".join(f"- {escape(note)}" for note in table.footnotes)
    return "\n\n".join([*parts, notes]) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def _entry(entry: Entry) -> str:
    text = f"**{entry.text}**" if entry.bold else entry.text
    return f"{text} {entry.interval}".rstrip()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
