"""Render HTML files without external resources: scripts and styles inline, with a matching content policy."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from textedit_bench.report.figures.canvas import PALETTE
from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.html_page.drawings import show
from textedit_bench.report.layout import Page, as_page
from textedit_bench.report.table import Table
from textedit_bench.report.templates import FOLDER, read_asset, render_template


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
