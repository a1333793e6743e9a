"""The table as one self-contained HTML page, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from textedit_bench.report.layout import Block, Entry, Line, Page, as_page
from textedit_bench.report.markup import escape
from textedit_bench.report.table import Table

_FEW = 6
"""Blocks that need no table of contents."""


def render_html(table: Table | Page) -> str:
    """A whole page; every text is escaped, nothing is loaded from elsewhere."""
    style = files("textedit_bench.report").joinpath("table.css").read_text(encoding="utf-8")
    page = as_page(table)
    body = "\n".join(_block(block, page.headings, f"part-{i}") for i, block in enumerate(page.blocks, 1))
    contents = _contents(page.blocks) if len(page.blocks) > _FEW else ""
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in page.footnotes)
    title = escape(page.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{contents}{body}\n<h2>Notes</h2>\n<ul>\n{notes}\n</ul>\n</main>\n</body>\n</html>\n"
    )


def _contents(blocks: Sequence[Block]) -> str:
    links = "".join(f'<li><a href="#part-{i}">{escape(block.title)}</a></li>' for i, block in enumerate(blocks, 1))
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n'


def _block(block: Block, titles: Sequence[str], name: str) -> str:
    # A column of words, most of it, is set to the left with its heading; the second one holds strengths or settings.
    columns = [[not _is_number(line.strength) for line in block.lines]]
    columns += [[line.entries[i].words for line in block.lines] for i in range(len(titles) - 2)]
    words = [2 * sum(column) > len(column) for column in columns]
    heads = zip(titles, [False, *words], strict=True)
    head = "".join(f'<th scope="col"{_kind(left)}>{escape(title)}</th>' for title, left in heads)
    rows = "\n".join(_line(line, words) for line in block.lines)
    title = escape(block.title)
    return (
        f'<div class="scroll" id="{name}" tabindex="0" role="region" aria-label="{title}">\n'
        f"<table>\n<caption>{title}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _kind(words: bool) -> str:
    return ' class="words"' if words else ""


def _line(line: Line, words: Sequence[bool]) -> str:
    kind = ' class="control"' if line.control else ""
    entries = "".join(_entry(entry, left) for entry, left in zip(line.entries, words[1:], strict=True))
    setting = f"<td{_kind(words[0])}>{escape(line.strength)}</td>"
    return f'<tr{kind}><th scope="row">{escape(line.title)}</th>{setting}{entries}</tr>'


def _entry(entry: Entry, words: bool) -> str:
    text = f"<strong>{escape(entry.text)}</strong>" if entry.bold else escape(entry.text)
    interval = f"<small>{escape(entry.interval)}</small>" if entry.interval else ""
    return f"<td{_kind(words)}>{text}{interval}</td>"
