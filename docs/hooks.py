"""Add to the site the reference results that pages link to, and the style sheet for highlighted code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = re.compile(r"\]\(\.\./\.\./(results/reference/[^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add every file of the results that a page links to, and the style sheet of the code."""
    linked = {name for page in files.documentation_pages() for name in OUTSIDE.findall(page.content_string)}
    for name in sorted(linked):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    files.append(File.generated(config, "pygments.css", content=colours))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point the links at the copies."""
    return OUTSIDE.sub(r"](\1)", markdown)
