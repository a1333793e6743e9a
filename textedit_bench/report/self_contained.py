"""Render one HTML file without external resources: scripts and styles inline, with a matching content policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from textedit_bench.report.figures.canvas import PALETTE
from textedit_bench.report.templates import FOLDER, read_asset, render_template


def render_self_contained(
    template: str, *, scripts: Sequence[str], styles: Sequence[str], package: str = FOLDER, **values: Any
) -> str:
    """Render a page whose ``policy``, ``style`` and ``script`` are built from these files, in order, after the palette.

    Args:
        template: the page.
        scripts: names of its scripts.
        styles: names of its style sheets.
        package: the package of these files; files of the report can be named too.
        values: further values of the template; every text is escaped.
    """
    script = "".join(read_asset(name, package) for name in scripts)
    style = _palette() + "".join(read_asset(name, package) for name in styles)
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
