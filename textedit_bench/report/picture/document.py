"""The page: one self-contained HTML document, put together from its parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from textedit_bench.bench.kept import PicturesGoneError
from textedit_bench.report.collect import Collected
from textedit_bench.report.cost import cost_frame
from textedit_bench.report.leakage import leakage_frame
from textedit_bench.report.markup import escape
from textedit_bench.report.picture.cost_figure import cost_svg
from textedit_bench.report.picture.curve_figure import curves_svg
from textedit_bench.report.picture.examples import RULE, Example, disagreements, ordered_examples
from textedit_bench.report.picture.heat_figure import leakage_svg
from textedit_bench.report.picture.payload import VALUES, Grid, embedded
from textedit_bench.report.picture.rank_figure import ranks_svg
from textedit_bench.report.picture.strips import StripBook, read_edit, read_sources
from textedit_bench.report.picture.svg import element
from textedit_bench.report.picture.tables import table_sections
from textedit_bench.report.ranks import ranks_frame
from textedit_bench.report.rows import TRAINED, UNSEEN
from textedit_bench.report.table import Table

FOLDER = "textedit_bench.report.picture"
_PROMPT_SETS = ((TRAINED, "Trained prompts"), (UNSEEN, "Unseen prompts"))


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows, computed once whatever the pictures' size.

    Attributes:
        tier: of all results.
        collected: the cells.
        table: the comparison table.
    """

    tier: str
    collected: tuple[Collected, ...]
    table: Table


def render_document(contents: Contents, grids: Sequence[Grid], book: StripBook) -> str:
    """The whole page; every text of a user is escaped, the content policy allows this page's own script alone."""
    script, style = (_file(name) for name in ("report.js", "report.css"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Text-driven editing with StyleGAN, tier {contents.tier}"
    sections = _sections(contents, grids, book)
    links = "".join(element("a", escape(words), href=f"#{name}") for name, words, _ in sections)
    protocols = contents.collected[0].cells[0].manifest["score"]["protocols"]
    metrics = {name: protocols[name]["title"] for name in VALUES if name in protocols}
    data = embedded({"pictures": book.uris, "grids": [grid.to_json() for grid in grids], "metrics": metrics})
    bodies = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{escape(words)}</h2>\n{body}\n</section>'
        for name, words, body in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<header class="top"><strong>textedit_bench</strong><nav aria-label="Sections">{links}</nav>'
        '<button type="button" id="theme" hidden>Dark</button></header>\n'
        f"<main>\n<h1>{escape(title)}</h1>\n{_lead(contents)}\n{bodies}\n</main>\n{_VIEWER}\n"
        f'<script type="application/json" id="data">{data}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _file(name: str) -> str:
    return files(FOLDER).joinpath(name).read_text(encoding="utf-8")


def _lead(contents: Contents) -> str:
    frame = contents.table.frame
    methods = frame.loc[~frame["control"].astype(bool), "title"].nunique()
    images = contents.collected[0].cells[0].identity["images"]["count"]
    words = (
        f"{methods} method{'s' if methods != 1 else ''}, {len(contents.collected)} data "
        f"set{'s' if len(contents.collected) != 1 else ''}, {images} images each. Figures of another tier are not "
        "comparable with these."
    )
    return element("p", escape(words), class_="lead")


Section = tuple[str, str, str]


def _sections(contents: Contents, grids: Sequence[Grid], book: StripBook) -> list[Section]:
    found: list[Section] = [("table", "Comparison", table_sections(contents.table))]
    found += [(f"pictures-{_slug(grid.name)}", f"Pictures: {grid.name}", _grid(grid)) for grid in grids]
    parts = (
        ("curves", "Effect against preservation", _curves(contents.collected)),
        ("leakage", "Leakage", _leakage(contents.collected)),
        ("ranks", "Ranks", _ranks(contents)),
        ("cost", "Cost", _cost(contents.collected)),
        ("examples", "Worst, median, best", _examples(contents.collected, book)),
    )
    found += [part for part in parts if part[2]]
    notes = "".join(element("li", escape(note)) for note in contents.table.footnotes)
    found.append(("notes", "Notes", element("ul", notes, class_="notes")))
    return found


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def _grid(grid: Grid) -> str:
    slider = f"strength-{_slug(grid.name)}"
    return (
        '<p class="no-script">The pictures need JavaScript; everything else does not.</p>'
        f'<section class="grid needs-script" data-name="{escape(grid.name)}" aria-label="{escape(grid.name)}">'
        '<div class="controls">'
        f'<label for="{slider}">Strength <input type="range" id="{slider}" min="0" max="1" step="1" value="0"></label>'
        f'<output for="{slider}"></output><div class="images" role="group" aria-label="Photo"></div></div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(f"Pictures: {grid.name}")}">'
        '<table class="pictures"><thead></thead><tbody></tbody></table></div>'
        '<p class="rule">The first images of the set, whatever they look like. A click opens an edit; arrow keys '
        "change its strength.</p></section>"
    )


def _curves(collected: Sequence[Collected]) -> str:
    cards = []
    for part in collected:
        for prompt_set, words in _PROMPT_SETS:
            drawn = curves_svg(part, prompt_set)
            if drawn:
                heading = element("h3", escape(f"{part.dataset}: {words.lower()}"))
                cards.append(element("div", heading + drawn, class_="card"))
    if not cards:
        return ""
    rule = "One point per strength, a ring at each method's default; further up and to the right is better."
    return element("p", rule, class_="rule") + element("div", "".join(cards), class_="row")


def _leakage(collected: Sequence[Collected]) -> str:
    frame = leakage_frame(collected)
    cards = []
    for (dataset, title), rows in frame[~frame["control"].astype(bool)].groupby(["dataset", "title"], sort=False):
        heading = element("h3", escape(f"{title} on {dataset}"))
        cards.append(element("div", heading + leakage_svg(rows, str(title)), class_="card narrow"))
    if not cards:
        return ""
    rule = (
        "Percent of edits whose attribute (columns) the oracle reads differently than before, by what was asked "
        "(rows). Framed: what was asked for, where a high number is success; everywhere else it is leakage."
    )
    return element("p", rule, class_="rule") + element("div", "".join(cards), class_="row")


def _ranks(contents: Contents) -> str:
    frame = ranks_frame(contents.collected)
    titles = {spec.name: f"{spec.title} {spec.arrow}" for spec in contents.table.columns}
    cards = []
    for metric, rows in frame.groupby("metric", sort=False):
        words = titles.get(str(metric), str(metric))
        first = rows.iloc[0]
        said = f"{words}: {first['blocks']} blocks, critical difference {first['critical_difference']:.2f}"
        cards.append(element("div", element("h3", escape(said)) + ranks_svg(rows, words), class_="card"))
    if not cards:
        return ""
    rule = (
        "Average rank over all prompts of all data sets, with its 95 % interval; 1 is best. A band joins methods whose "
        "ranks differ by no more than Nemenyi's critical difference (5 %)."
    )
    return element("p", rule, class_="rule") + element("div", "".join(cards), class_="row")


def _cost(collected: Sequence[Collected]) -> str:
    frame: pd.DataFrame = cost_frame(collected)
    if frame.empty:
        return ""
    cards = []
    for part in collected:
        drawn = cost_svg(frame, part.dataset)
        if drawn:
            cards.append(element("div", element("h3", escape(part.dataset)) + drawn, class_="card"))
    rule = (
        "Milliseconds per edited picture on a logarithmic axis, synthesis and judging apart. Where one computation "
        "serves all strengths, they share its time."
    )
    return element("p", rule, class_="rule") + element("div", "".join(cards), class_="row") if cards else ""


def _examples(collected: Sequence[Collected], book: StripBook) -> str:
    parts = []
    for part in collected:
        for title, examples in ordered_examples(part).items():
            shown = "".join(_example(part, example, book) for example in examples)
            heading = element("h3", escape(f"{title} on {part.dataset}"))
            parts.append(element("div", heading + element("div", shown, class_="row"), class_="card narrow"))
        found = disagreements(part)
        if found:
            shown = "".join(_example(part, example, book) for example in found)
            heading = element("h3", escape(f"Largest disagreement on {part.dataset}"))
            parts.append(element("div", heading + element("div", shown, class_="row"), class_="card narrow"))
    return element("p", escape(RULE), class_="rule") + element("div", "".join(parts), class_="row") if parts else ""


def _example(part: Collected, example: Example, book: StripBook) -> str:
    prompt = example.cell.identity["prompt"]
    words = prompt.get("phrase") or prompt["target"]
    sources = read_sources(part, [example.image])
    pictures = []
    if sources is not None:
        pictures.append(_image(book.encode(sources["photo"][0]), f"photo, asked for {words}"))
    try:
        pictures.append(_image(book.encode(read_edit(example.cell, example.image)), f"edit: {words}"))
    except PicturesGoneError as error:
        pictures.append(element("p", escape(str(error)), class_="lead"))
    pair = element("div", "".join(pictures), class_="pair")
    caption = element("figcaption", f"{escape(words)}<br>{escape(example.caption)}")
    return element("figure", pair + caption, class_="example")


def _image(uri: str, words: str) -> str:
    return f'<img loading="lazy" width="98" height="98" src="{uri}" alt="{escape(words)}">'


_VIEWER = (
    '<dialog id="viewer" aria-labelledby="viewer-title"><header><div><h2 id="viewer-title"></h2>'
    '<span id="viewer-strength" class="lead"></span></div>'
    '<button type="button" id="viewer-close">Close</button></header>'
    '<div id="viewer-pictures"></div>'
    '<p><button type="button" id="viewer-less">Weaker</button> '
    '<button type="button" id="viewer-more">Stronger</button></p>'
    '<table id="viewer-values"><tbody></tbody></table></dialog>'
)
