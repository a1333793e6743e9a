"""Every format shows the same table, and no text breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.report.formats import LONGEST, render_csv, render_latex, render_markdown, render_plain
from textedit_bench.report.formats import escape_latex as latex
from textedit_bench.report.html import render_html
from textedit_bench.report.layout import Block, Entry, Line
from textedit_bench.report.layout import Page as TablePage
from textedit_bench.report.table import build_table

EVIL = [
    "<script>alert(1)</script>",
    "a | b | c",
    "**bold** [x](http://e)",
    r"\input{/etc/passwd} & 50% #1 $x_2^3$ ~",
    '=HYPERLINK("http://e")',
    "-1+cmd",
    'quote " comma, and\nline',
    "ひげ 🧔 \u202eevil",
]


TAGS = {"html", "head", "meta", "title", "style", "script", "body", "header", "main", "section", "h1", "h2", "div"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "strong", "small", "ul", "li", "button", "label", "input", "span"}


@pytest.fixture(params=EVIL)
def table(request, stored, collected):
    cells = [
        stored("a", "p", {"success": [1, 1, 1, 1, 1, 0, 1, 1], "lpips": [0.1] * 8}, title=request.param),
        stored("b", "p", {"success": [0] * 8, "lpips": [0.5] * 8}, title="B"),
    ]
    return build_table("mini", [collected(cells, notes=(request.param,))])


class Page(HTMLParser):
    """Tags and text of a page; complains about tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_html_nests_and_shows_the_text_as_text(table):
    page = Page()
    text = render_html(table)
    page.feed(text)
    assert not page.open
    assert set(page.tags) <= TAGS
    assert table.frame["title"].iloc[0] in page.text
    assert "http" not in re.sub(r"<(th|li)[^>]*>.*?</\1>| http-equiv=", "", text, flags=re.S)


def test_markdown_rows_have_as_many_cells_as_the_heading(table):
    lines = [line for line in render_markdown(table).splitlines() if line.startswith("|")]
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert len(counts) == 1
    assert "<script" not in render_markdown(table).replace(r"\<script", "")
    assert "**bold**" not in render_markdown(table)


def test_latex_has_no_live_commands_from_texts(table):
    text = render_latex(table)
    assert r"\input" not in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {len(table.columns) + 1}
    assert text.count(r"\begin{") == text.count(r"\end{")
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"(?<!\\)[#_^~]", "\n".join(rows))


@given(
    titles=st.lists(
        st.text(st.sampled_from(list("[]*-`',?!\"\\\\{}$&%#_~^<>| ax")), min_size=1), min_size=1, max_size=4
    ),
    control=st.booleans(),
)
def test_latex_prints_any_title_as_it_is(titles, control):
    lines = tuple(Line(title, control, title, (Entry(title, words=True),)) for title in titles)
    text = render_latex(TablePage("t", (titles[0], "Setting", "Value"), (Block("b", lines),), ()))
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    assert not re.search(r"(\\\\|rule)\s*[\[*]", body), "read as an argument of the line break or rule before it"
    assert not re.search(r"--|``|''|,,|[?!]`", body), "read as another character"
    assert '"' not in body and "textquotedbl" not in body


def test_latex_keeps_dashes_quotes_and_a_bracket_at_the_beginning_of_a_row():
    assert latex('a -- b --- "c"') == r"a -{}- b -{}-{}- \char34{}c\char34{}"
    lines = (Line("[ours] x", False, "1", ()), Line("*", False, "1", ()), Line("[y]", True, "1", ()))
    text = render_latex(TablePage("t", ("Method", "Strength"), (Block("b", lines),), ()))
    assert "\n{}[ours] x & 1" in text and "\n{}* & 1" in text and "\n\\textit{[y]} & 1" in text


def test_csv_reads_back_and_runs_no_formula(table):
    rows = list(csv.DictReader(io.StringIO(render_csv(table))))
    title = table.frame["title"].iloc[0]
    assert rows[0]["title"].removeprefix("'") == title
    assert not rows[0]["title"].startswith(("=", "-", "+", "@"))
    assert float(rows[0]["success"]) == pytest.approx(7 / 8)
    assert {row["tier"] for row in rows} == {"mini"}


def test_every_format_gives_the_same_bytes_twice(table):
    for render in (render_csv, render_markdown, render_latex, render_html, render_plain):
        assert render(table) == render(table)


@given(st.lists(st.integers(1, 130), min_size=1, max_size=5))
def test_latex_breaks_a_long_table_into_floats_that_fit_a_page(sizes):
    blocks = tuple(
        Block(f"b{b}", tuple(Line(f"row{b}x{i}", False, "1", ()) for i in range(size))) for b, size in enumerate(sizes)
    )
    text = render_latex(TablePage("t", ("Method", "Strength"), blocks, ("the note",)))
    assert re.findall(r"row\d+x\d+", text) == [line.title for block in blocks for line in block.lines]
    floats = text.split(r"\begin{table*}")[1:]
    assert len(floats) <= sum(sizes) // (LONGEST - 1) + 1
    for number, part in enumerate(floats):
        assert 1 <= len(re.findall(r"row\d+x\d+", part)) <= LONGEST
        assert all(part.count(rf"\end{{{name}}}") == 1 for name in ("table*", "tabular"))
        assert ("the note" in part) == (number == len(floats) - 1)
        shown = {row.split("x")[0].replace("row", "b") for row in re.findall(r"row\d+x\d+", part)}
        assert shown == set(re.findall(r"\\emph\{(b\d+)\}", part))


def test_latex_escapes_every_special_character():
    assert latex("\\{}$&%#_~^") == (r"\textbackslash{}\{\}\$\&\%\#\_\textasciitilde{}\textasciicircum{}")
    assert latex("é 漢 \x00\x7f") == "é ? ??"


def test_best_values_are_bold_with_intervals_and_arrows(stored, collected):
    cells = [stored(m, p, {"lpips": [v] * 8}) for m, v in (("a", 0.1), ("b", 0.5)) for p in "pqrstuvwx"]
    cells.append(stored("still", "p", {"lpips": [0.0] * 8}, control=True))
    table = build_table("mini", [collected(cells)])
    assert "**0.100**" in render_markdown(table) and "**0.500**" not in render_markdown(table)
    assert r"\textbf{0.100}" in render_latex(table)
    assert "<strong>0.100</strong>" in render_html(table)
    assert "0.100*" in render_plain(table)
    assert "LPIPS ↓" in render_markdown(table) and r"LPIPS $\downarrow$" in render_latex(table)
    assert "*Still*" in render_markdown(table) and r"\textit{Still}" in render_latex(table)
