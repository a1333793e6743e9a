"""Render HTML from templates: all untrusted texts are escaped, and invalid characters removed."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

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
