"""The pages of the site name modules that exist, and every page is in the menu."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import yaml

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "pages").glob("*.md")}
SETTINGS = yaml.safe_load((DOCS / "mkdocs.yml").read_text(encoding="utf-8"))


def test_every_module_on_a_page_exists():
    named = [name for text in PAGES.values() for name in re.findall(r"^::: (\S+)$", text, re.M)]
    assert len(named) > 20
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_the_menu_holds_every_page_once():
    listed = [page for entry in SETTINGS["nav"] for page in entry.values()]
    assert sorted(listed) == sorted(PAGES)
