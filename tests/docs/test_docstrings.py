"""The examples in docstrings are true, and public names have docstrings."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "textedit_bench", *(ROOT / root / f"textedit_{root}" for root in ("methods", "datasets"))]
FILES = [path for source in SOURCES for path in sorted(source.rglob("*.py"))]


def _module(path: Path) -> str:
    root = ROOT if path.is_relative_to(ROOT / "textedit_bench") else ROOT / path.relative_to(ROOT).parts[0]
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EXAMPLES = [_module(path) for path in FILES if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_of_docstrings_run(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


def test_there_are_examples():
    assert EXAMPLES


def test_every_module_says_what_it_is():
    silent = [str(path.relative_to(ROOT)) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [path for path in silent if not path.endswith("__init__.py")] == []


def test_public_classes_and_functions_have_docstrings():
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []
