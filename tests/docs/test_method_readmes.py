"""The table of files in a method's README names the files that are there, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import textedit_methods

FOLDERS = sorted(
    readme.parent
    for readme in Path(textedit_methods.__file__).parent.glob("*/README.md")
    if "| file | holds |" in readme.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_table_names_every_file(folder: Path) -> None:
    rows = re.findall(r"^\| (`\w+\.py`.*?) \|", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+\.py)`", row)}
    there = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert named == there


def test_there_are_such_tables() -> None:
    assert len(FOLDERS) >= 6
