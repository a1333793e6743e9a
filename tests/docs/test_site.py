"""The pages of the site name modules that exist, and every page is in the menu."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "pages").glob("*.md")}
SETTINGS = yaml.safe_load((DOCS / "mkdocs.yml").read_text(encoding="utf-8"))


def test_every_module_on_a_page_exists():
    named = [name for text in PAGES.values() for name in re.findall(r"^::: (\S+)$", text, re.M)]
    assert len(named) > 20
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def _listed(entries: list[dict[str, Any]]) -> list[str]:
    """The pages of a menu, those of its submenus included."""
    targets = [target for entry in entries for target in entry.values()]
    return [page for target in targets for page in (_listed(target) if isinstance(target, list) else [target])]


def test_the_menu_holds_every_page_once():
    assert sorted(_listed(SETTINGS["nav"])) == sorted(PAGES)


def test_the_site_can_be_searched_and_fetches_nothing():
    assert "search" in SETTINGS["plugins"]
    assert SETTINGS["theme"]["highlightjs"] is False
    given = [*SETTINGS["extra_css"], *SETTINGS.get("extra_javascript", [])]
    assert [address for address in given if ":" in address or address.startswith("//")] == []
