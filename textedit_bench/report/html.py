"""The table as one self-contained HTML page, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from textedit_bench.report.layout import Block, Entry, Line, Page, as_page
from textedit_bench.report.table import Table


def render_html(table: Table | Page) -> str:
    """A whole page; every text is escaped, nothing is loaded from elsewhere."""
    style = files("textedit_bench.report").joinpath("table.css").read_text(encoding="utf-8")
    page = as_page(table)
    body = "\n".join(_block(block, page.headings) for block in page.blocks)
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in page.footnotes)
    title = escape(page.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{body}\n<h2>Notes</h2>\n<ul>\n{notes}\n</ul>\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block, titles: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    rows = "\n".join(_line(line) for line in block.lines)
    return (
        f'<div class="scroll">\n<table>\n<caption>{escape(block.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def _line(line: Line) -> str:
    kind = ' class="control"' if line.control else ""
    entries = "".join(_entry(entry) for entry in line.entries)
    return f'<tr{kind}><th scope="row">{escape(line.title)}</th><td>{escape(line.strength)}</td>{entries}</tr>'


def _entry(entry: Entry) -> str:
    text = f"<strong>{escape(entry.text)}</strong>" if entry.bold else escape(entry.text)
    interval = f"<small>{escape(entry.interval)}</small>" if entry.interval else ""
    kind = ' class="words"' if entry.words else ""
    return f"<td{kind}>{text}{interval}</td>"
