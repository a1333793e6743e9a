"""The table as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from textedit_bench.report.layout import Entry, Page, as_page
from textedit_bench.report.table import Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")


def render_markdown(table: Table | Page) -> str:
    """One Markdown table per block, then the footnotes."""
    page = as_page(table)
    titles = [escape(title) for title in page.headings]
    parts = []
    for block in page.blocks:
        lines = [f"**{escape(block.title)}**", "", _row(titles), _row([":--", *["--:"] * (len(titles) - 1)])]
        for line in block.lines:
            title = f"*{escape(line.title)}*" if line.control else escape(line.title)
            lines.append(_row([title, escape(line.strength), *(_entry(entry) for entry in line.entries)]))
        parts.append("\n".join(lines))
    notes = "\n".join(f"- {escape(note)}" for note in page.footnotes)
    return "\n\n".join([*parts, notes]) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def _entry(entry: Entry) -> str:
    plain = escape(entry.text) if entry.words else entry.text
    text = f"**{plain}**" if entry.bold else plain
    return f"{text} {entry.interval}".rstrip()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
