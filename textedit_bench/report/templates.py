"""Render HTML from templates: every text of a stranger is escaped, and loses what no page may hold."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = "textedit_bench.report"
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def render_template(name: str, **values: Any) -> str:
    """A template of this package with values; a name without a value is an error."""
    return str(_environment().get_template(name).render(**values))


def read_asset(name: str) -> str:
    """A style sheet or script of this package."""
    return files(FOLDER).joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def clean(value: object) -> object:
        """Text without what no page may hold; what is markup already stays as it is."""
        return _INVALID.sub("", value) if type(value) is str else value

    return Environment(
        loader=PackageLoader(FOLDER), autoescape=True, undefined=StrictUndefined, finalize=clean,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
