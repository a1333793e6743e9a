r"""Render the table as CSV, GitHub-flavoured Markdown, plain text for a terminal, and LaTeX with booktabs.

CSV has full precision and one header line, and is safe to open in a spreadsheet; the LaTeX compiles as is after
``\usepackage{booktabs}``.
"""

from __future__ import annotations

import re
import string
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pandas as pd

from textedit_bench.report.layout import Block, Entry, Line, Page, as_page, blocks, headings
from textedit_bench.report.table import Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_csv(table: Table) -> str:
    r"""Render a table as CSV with ``\n`` line ends; the same table gives the same bytes."""
    return frame_csv(table.frame.assign(tier=table.tier))


def frame_csv(frame: pd.DataFrame) -> str:
    """Render a frame as CSV; texts that a spreadsheet would run as a formula get a leading apostrophe."""
    texts = [name for name in frame.columns if frame[name].map(lambda value: isinstance(value, str)).any()]
    safe = frame.assign(**{name: frame[name].map(_safe) for name in texts})
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.9g")


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


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


_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}",  # \textquotedbl would need T1 fonts
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "×": r"$\times$", "†": r"\dag{}",
}  # fmt: skip
_LIGATURES = re.compile(r"([-'`,])(?=\1)|[?!](?=`)")
"""Characters that form ligatures: ``--`` becomes a dash, two accents a quotation mark."""

_KNOWN = set(string.printable) | set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ")
LONGEST = 40
"""Maximum number of lines of a float, which must fit on a page."""


def render_latex(table: Table | Page) -> str:
    """Render ``table*`` environments, several for a table longer than a page; footnotes follow the last."""
    page = as_page(table)
    floats = _split([replace(block, headings=page.headings_of(block)) for block in page.blocks])
    lines = [r"% needs \usepackage{booktabs,graphicx,textcomp}"]
    for number, part in enumerate(floats):
        titles = [escape_latex(title) for title in (part[0].headings if part else page.headings)]
        lines += _head(titles, "" if number else escape_latex(page.title))
        for block in part:
            lines += _body(block, len(titles))
        last = number == len(floats) - 1
        notes = " ".join(escape_latex(note) for note in page.footnotes) if last else "Continued in the next table."
        lines += [r"\bottomrule", r"\end{tabular}}", rf"\par\smallskip\footnotesize {notes}", r"\end{table*}"]
    return "\n".join(lines) + "\n"


def _split(blocks: Sequence[Block]) -> list[list[Block]]:
    """Distribute blocks over floats; a block that does not fit continues in the next under its title."""
    floats: list[list[Block]] = [[]]
    room = LONGEST
    for block in blocks:
        rest = block
        if floats[-1] and floats[-1][-1].headings != block.headings:
            floats.append([])
            room = LONGEST
        while len(rest.lines) > room:
            if room > 1:
                floats[-1].append(replace(rest, lines=rest.lines[:room]))
                rest = replace(rest, lines=rest.lines[room:])
            floats.append([])
            room = LONGEST
        floats[-1].append(rest)
        room -= len(rest.lines)
    return [part for part in floats if part] or [[]]


def _head(titles: list[str], caption: str) -> list[str]:
    return [
        r"\begin{table*}[t]",
        r"\centering",
        *([rf"\caption{{{caption}}}"] if caption else []),
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{ll{'r' * (len(titles) - 2)}}}",
        r"\toprule",
        _row(titles),
    ]


def _body(block: Block, columns: int) -> list[str]:
    lines = [r"\midrule", rf"\multicolumn{{{columns}}}{{l}}{{\emph{{{escape_latex(block.title)}}}}} \\"]
    for line in block.lines:
        title = rf"\textit{{{escape_latex(line.title)}}}" if line.control else escape_latex(line.title)
        lines.append(_row([title, escape_latex(line.setting), *(_latex_entry(entry) for entry in line.entries)]))
    return lines


def escape_latex(text: str) -> str:
    """Escape a text for LaTeX, in one line; characters that pdfLaTeX cannot print become ``?``."""
    one_line = " ".join(text.split())
    escaped = "".join(_ESCAPES.get(c, c if c in _KNOWN else "?") for c in one_line)
    return _LIGATURES.sub(r"\g<0>{}", escaped)


def _row(cells: list[str]) -> str:
    """Render one line; a bracket or a star at its beginning would be an argument of the rule or line break before."""
    return ("{}" if cells[0].startswith(("[", "*")) else "") + " & ".join(cells) + r" \\"


def _latex_entry(entry: Entry) -> str:
    plain = escape_latex(entry.text) if entry.words else entry.text
    text = rf"\textbf{{{plain}}}" if entry.bold else plain
    return text if not entry.interval else rf"{text} {{\scriptsize {escape_latex(entry.interval)}}}"
