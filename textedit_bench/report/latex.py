"""The table as LaTeX for a paper: booktabs, compiles as is after ``\\usepackage{booktabs}``."""

from __future__ import annotations

import re
import string

from textedit_bench.report.layout import Entry, Page, as_page
from textedit_bench.report.table import Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",  # \textquotedbl would need T1 fonts
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "†": r"\dag{}",
}
_LIGATURES = re.compile(r"([-'`,])(?=\1)|[?!](?=`)")
"""Characters that fonts join with the next one: ``--`` becomes a dash, two accents a quotation mark."""

_KNOWN = set(string.printable) | set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ")


def render_latex(table: Table | Page) -> str:
    """A ``table*`` environment; the footnotes stand below the rule."""
    page = as_page(table)
    titles = page.headings
    lines = [
        r"% needs \usepackage{booktabs,graphicx,textcomp}",
        r"\begin{table*}[t]",
        r"\centering",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{ll{'r' * (len(titles) - 2)}}}",
        r"\toprule",
        _row([escape(title) for title in titles]),
    ]
    for block in page.blocks:
        lines += [r"\midrule", rf"\multicolumn{{{len(titles)}}}{{l}}{{\emph{{{escape(block.title)}}}}} \\"]
        for line in block.lines:
            title = rf"\textit{{{escape(line.title)}}}" if line.control else escape(line.title)
            lines.append(_row([title, escape(line.strength), *(_entry(entry) for entry in line.entries)]))
    notes = " ".join(escape(note) for note in page.footnotes)
    lines += [r"\bottomrule", r"\end{tabular}}", rf"\par\smallskip\footnotesize {notes}", r"\end{table*}"]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it is, in one line; characters pdfLaTeX has no glyph for become ``?``."""
    one_line = " ".join(text.split())
    escaped = "".join(_ESCAPES.get(c, c if c in _KNOWN else "?") for c in one_line)
    return _LIGATURES.sub(r"\g<0>{}", escaped)


def _row(cells: list[str]) -> str:
    """One line; a bracket or a star at its beginning would be an argument of the rule or line break before it."""
    return ("{}" if cells[0].startswith(("[", "*")) else "") + " & ".join(cells) + r" \\"


def _entry(entry: Entry) -> str:
    plain = escape(entry.text) if entry.words else entry.text
    text = rf"\textbf{{{plain}}}" if entry.bold else plain
    return text if not entry.interval else rf"{text} {{\scriptsize {escape(entry.interval)}}}"
