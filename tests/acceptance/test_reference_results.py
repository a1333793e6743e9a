"""What the repository claims is what it holds: the README's table, its links, and the acceptance figures."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from textedit_workshop.pages import readme_table

ROOT = Path(__file__).parents[2]
ACCEPTANCE = ROOT / "results" / "reference" / "mini" / "acceptance" / "table.csv"
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]*\bsrc=\"([^\"]+)\"")
_CODE = re.compile(r"```.*?```", re.DOTALL)


def _pages() -> list[str]:
    roots = ("methods", "datasets", "experiments", "docs")
    below = [path for root in roots for path in (ROOT / root).rglob("*.md")]
    top = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "RELEASING.md", "SECURITY.md"]
    return [*top, *sorted(str(path.relative_to(ROOT)) for path in below)]


def _links(name: str) -> list[str]:
    text = _CODE.sub("", (ROOT / name).read_text(encoding="utf-8"))
    found = [first or second for first, second in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def _anchors(path: Path) -> set[str]:
    text = _CODE.sub("", path.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def test_the_tables_of_the_pages_are_those_of_the_reference_results():
    pages = readme_table.PAGES
    assert {page.name for page in pages} == {"README.md", "results.md"}
    for page, table in pages.items():
        text = page.read_text(encoding="utf-8")
        assert text == readme_table.filled(text, table()), "run: python -m textedit_workshop.pages.readme_table --write"


def test_the_readme_is_short_enough_to_be_read():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def test_the_tables_hold_the_figures_of_their_source(tmp_path):
    row = {"dataset": "d", "prompt_set": "trained", "method": "a", "title": "A_b", "control": False}
    row |= {"prompts": 2, "images": 3}
    for column in readme_table.COLUMNS:
        row |= {column.name: 0.5, f"{column.name}_low": 0.25, f"{column.name}_high": 0.75, f"{column.name}_best": False}
    row |= {"success_best": True, "identity": float("nan"), "lpips_low": float("nan")}
    path = tmp_path / "table.csv"
    followers = [row | {"method": "step", "title": f"step of {name}", "control": True} for name in "AB"]
    pd.DataFrame([row, *followers]).to_csv(path, index=False)
    table = readme_table.results_tables(path, "d")
    assert table.splitlines()[0] == "**d, trained prompts: 2 x 3 images**"
    last = r"| A\_b | **50.0** [25.0, 75.0] | 50.0 [25.0, 75.0] | 0.5 [0.2, 0.8] | - | 0.50 | 0.5 [0.2, 0.8] |"
    assert table.splitlines()[-1] == last
    with pytest.raises(ValueError, match="markers"):
        readme_table.filled("no markers here", table)
    unseen = row | {"prompt_set": "unseen", "success": 0.125}
    pd.DataFrame([row, unseen, row | {"dataset": "e"}, *followers]).to_csv(path, index=False)
    overview = readme_table.results_tables(path, "e").splitlines()
    small = readme_table.small_table(path, "d").splitlines()
    assert small[2:] == [r"| A\_b | 50.0 [25.0, 75.0] | 12.5 [25.0, 75.0] | 50.0 [25.0, 75.0] | - |"]
    assert overview[-3:] == ["| Method | d | e |", "| :-- | --: | --: |", r"| A\_b | 50 / 50, 12 | 50 / 50 |"]


def test_the_readme_links_to_the_full_table_and_a_picture():
    assert {"results/reference/mini/table.md"} <= set(_links("README.md"))
    assert any(link.endswith(".png") for link in _links("README.md"))


@pytest.mark.parametrize("name", _pages())
def test_every_relative_link_leads_somewhere(name):
    dead = []
    for link in _links(name):
        file, _, anchor = link.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            dead.append(link)
    assert not dead


def _row(frame: pd.DataFrame, method: str) -> pd.Series:
    chosen = frame[(frame["dataset"] == "ffhq") & (frame["prompt_set"] == "trained") & (frame["method"] == method)]
    assert len(chosen) == 1, f"{len(chosen)} rows of {method} in {ACCEPTANCE.name}"
    return chosen.iloc[0]


def test_the_shipped_method_edits_what_was_asked_and_little_else():
    frame = pd.read_csv(ACCEPTANCE)
    method, random = _row(frame, "ffclip"), _row(frame, "random-direction")
    assert method["success_n"] >= 200
    assert method["success"] >= 0.70
    assert method["preservation"] >= 0.85
    assert method["success"] - random["success"] >= 0.40
