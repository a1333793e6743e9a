r"""Render the table as LaTeX with booktabs; it compiles as is after ``\usepackage{booktabs}``."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import replace

from textedit_bench.report.layout import Block, Entry, Page, as_page
from textedit_bench.report.table import Table

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
    for number, blocks in enumerate(floats):
        titles = [escape(title) for title in (blocks[0].headings if blocks else page.headings)]
        lines += _head(titles, "" if number else escape(page.title))
        for block in blocks:
            lines += _body(block, len(titles))
        last = number == len(floats) - 1
        notes = " ".join(escape(note) for note in page.footnotes) if last else "Continued in the next table."
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
    lines = [r"\midrule", rf"\multicolumn{{{columns}}}{{l}}{{\emph{{{escape(block.title)}}}}} \\"]
    for line in block.lines:
        title = rf"\textit{{{escape(line.title)}}}" if line.control else escape(line.title)
        lines.append(_row([title, escape(line.setting), *(_entry(entry) for entry in line.entries)]))
    return lines


def escape(text: str) -> str:
    """Escape a text for LaTeX, in one line; characters that pdfLaTeX cannot print become ``?``."""
    one_line = " ".join(text.split())
    escaped = "".join(_ESCAPES.get(c, c if c in _KNOWN else "?") for c in one_line)
    return _LIGATURES.sub(r"\g<0>{}", escaped)


def _row(cells: list[str]) -> str:
    """Render one line; a bracket or a star at its beginning would be an argument of the rule or line break before."""
    return ("{}" if cells[0].startswith(("[", "*")) else "") + " & ".join(cells) + r" \\"


def _entry(entry: Entry) -> str:
    plain = escape(entry.text) if entry.words else entry.text
    text = rf"\textbf{{{plain}}}" if entry.bold else plain
    return text if not entry.interval else rf"{text} {{\scriptsize {escape(entry.interval)}}}"
