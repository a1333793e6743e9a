"""Render HTML files without external resources: scripts and styles inline, with a matching content policy.

They are rendered from templates: all untrusted texts are escaped, and invalid characters removed. Figures are SVG, once
for wide and once for narrow screens.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from textedit_bench.report.figures.canvas import PALETTE, to_svg
from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.layout import Page, as_page
from textedit_bench.report.table import Table

if TYPE_CHECKING:
    from jinja2 import Environment


FOLDER = "textedit_bench.report"
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def render_template(name: str, package: str = FOLDER, **values: Any) -> str:
    """Render a template of a package, or of this one; a name without a value is an error."""
    return str(_environment(package).get_template(name).render(**values))


def template_macros(name: str, package: str) -> Any:
    """Load the macros of a template: functions of values, whose texts are escaped, to HTML."""
    return _environment(package).get_template(name).module


def read_asset(name: str, package: str = FOLDER) -> str:
    """Read a style sheet or script of a package, or of this one."""
    own = files(package).joinpath("templates", name)
    return (own if own.is_file() else files(FOLDER).joinpath("templates", name)).read_text(encoding="utf-8")


@lru_cache
def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    def clean(value: object) -> object:
        """Text without what no page may hold; what is markup already stays as it is."""
        return _INVALID.sub("", value) if type(value) is str else value

    loader = ChoiceLoader([PackageLoader(package), PackageLoader(FOLDER)])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=clean, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


NARROW = 330.0
Shown = dict[tuple[str, str], list[tuple[str, str, str]]]
"""(kind, data set) -> words, SVG for wide and for narrow screens, in their order."""
SECTIONS = {
    "curves": (
        "Curves: effect against preservation",
        "One point per strength, from 0 (the inversion, no edit), a ring at each default; further up and right "
        "is better. Grey: controls.",
    ),
    "leakage": (
        "Leakage",
        "In edits that ask for the attribute of the row: percent in which the attribute of the column changed. Framed: "
        "what was asked for, where a high number is good; elsewhere a change is leakage. A framed number is lower "
        "than the success of the first screen: here photos that have the attribute already count as unchanged, success "
        "leaves them out.",
    ),
    "cost": (
        "Cost",
        "Milliseconds that a method computes per edited picture (logarithmic axis), without synthesis and scoring. "
        "Work that serves all strengths is divided among them. Last, in grey: controls.",
    ),
    "ranks": (
        "Ranks over all data sets",
        "Average rank over all prompts of all data sets, with its 95 % interval; 1 is best. A bar joins methods whose "
        "ranks differ by no more than Nemenyi's critical difference (5 %). This test looks at the order of methods per "
        "prompt, trained and unseen; those of the first screen look at the size of the differences.",
    ),
}
"""Title and rule of each section of drawings, in the page's order."""


def show(drawings: Iterable[Drawing]) -> Shown:
    """Render the figures that have content; pairs of methods have only one width."""
    found: Shown = {}
    for drawing in drawings:
        figures = [drawing.draw(width=width) for width in (drawing.width, NARROW)[: 1 + (drawing.kind != "pairs")]]
        label = f"{drawing.kind}: {drawing.words}" if drawing.kind != "overview" else drawing.words
        shown = [to_svg(figure, label) for figure in figures if figure is not None]
        if shown:
            found.setdefault((drawing.kind, drawing.dataset), []).append((drawing.words, shown[0], shown[-1]))
    return found


def render_html(table: Table | Page, drawings: Iterable[Drawing] = ()) -> str:
    """Render tables as a page, below drawings: sorted by a click, controls folded, light and dark."""
    page, shown = as_page(table), itertools.chain.from_iterable(show(drawings).values())
    return render_self_contained(
        "table.html", scripts=["tables.js", "marks.js"], title=page.title, page=page, drawings=list(shown)
    )


def render_self_contained(
    template: str, *, scripts: Sequence[str], styles: Sequence[str] = (), package: str = FOLDER, **values: Any
) -> str:
    """Render a page that extends ``base.html``, whose theme and style it shares.

    Args:
        template: the page.
        scripts: names of its further scripts, in order.
        styles: names of its further style sheets.
        package: the package of these files; files of the report can be named too.
        values: of the template, ``title`` and any others; every text is escaped. ``data`` is for its script.
    """
    script = "".join(read_asset(name, package) for name in ("theme.js", *scripts))
    style = _palette() + "".join(read_asset(name, package) for name in ("page.css", *styles))
    policy = (
        f"default-src 'none'; img-src data:; style-src {_allowed(style)}; script-src {_allowed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return render_template(template, package=package, policy=policy, style=style, script=script, **values)


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _palette() -> str:
    names = "".join(f" --{name}: light-dark({light}, {dark});" for name, (light, dark) in PALETTE.items())
    return f":root {{ color-scheme: light dark;{names} }}\n"
