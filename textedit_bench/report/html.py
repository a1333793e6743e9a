"""Render the table as one self-contained HTML page, light and dark."""

from __future__ import annotations

from textedit_bench.report.layout import Block, Page, as_page
from textedit_bench.report.table import Table
from textedit_bench.report.templates import read_asset, render_template


def render_html(table: Table | Page) -> str:
    """Render a whole page; every text is escaped, no external resource is loaded."""
    page = as_page(table)
    sides = [_sides(block, len(page.headings)) for block in page.blocks]
    return render_template("table.html", page=page, sides=sides, style=read_asset("table.css"))


def _sides(block: Block, columns: int) -> list[bool]:
    """Return which columns are mostly words and left-aligned; the second one holds strengths or settings."""
    words = [[not line.setting.replace(".", "", 1).isdecimal() for line in block.lines]]
    words += [[line.entries[i].words for line in block.lines] for i in range(columns - 2)]
    return [False, *(2 * sum(column) > len(column) for column in words)]
