"""The source roots hold one package each, and nothing leaks out of them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from textedit_bench import list_methods

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"textedit_bench": ".", "textedit_methods": "methods", "textedit_datasets": "datasets"} | {
    "textedit_experiments": "experiments"
}
WORKSHOP = {"textedit_workshop": "workshop"}
"""Not shipped."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _python(code: str, cwd: Path, **environment: str) -> object:
    run = [sys.executable, "-P", "-c", code]
    variables = {**os.environ, **environment}
    ended = subprocess.run(run, cwd=cwd, env=variables, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def test_the_packages_come_from_their_roots(tmp_path):
    code = f"import json, importlib; print(json.dumps([importlib.import_module(n).__file__ for n in {list(PACKAGES)}]))"
    found = [Path(str(path)) for path in _python(code, tmp_path)]
    assert found == [ROOT / root / name / "__init__.py" for name, root in PACKAGES.items()]


def test_nothing_else_of_the_repository_can_be_imported():
    names = ["datasets", "methods", "experiments", "workshop", "results", "tests", "tools", "cli", "worlds", "ffhq"]
    code = f"""
import importlib.util, json
found = {{n: importlib.util.find_spec(n) for n in {names}}}
print(json.dumps({{n: [s.origin, *(s.submodule_search_locations or [])] for n, s in found.items() if s}}))
"""
    found = _python(code, ROOT, PYTHONPATH="")  # what a shell adds to the path is no leak of the installation
    ours = {name: places for name, places in found.items() if any(str(ROOT) + "/" in str(p) for p in places)}
    venv = str(ROOT / ".venv")
    assert {n: p for n, p in ours.items() if not all(str(x).startswith(venv) for x in p)} == {}


def test_a_library_called_datasets_is_not_shadowed(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/__init__.py").write_text("WHOSE = 'theirs'\n")
    code = f"""
import json, sys
sys.path.append({str(tmp_path)!r})
import datasets, textedit_datasets
print(json.dumps(datasets.WHOSE))
"""
    assert _python(code, ROOT) == "theirs"


def test_no_python_file_lies_directly_in_a_source_root():
    roots = ("methods", "datasets", "experiments", "workshop", "results")
    loose = [path for root in roots for path in (ROOT / root).glob("*.py")]
    assert loose == []


def test_every_folder_with_code_is_a_package():
    homeless = {
        path.parent.relative_to(ROOT)
        for name, root in {**PACKAGES, **WORKSHOP}.items()
        for path in (ROOT / root / name).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert homeless == set()


PUBLISHED_FILES = ROOT / "textedit_bench" / "models" / "known.py"
"""What a user may take for a backbone by mistake, so that the error can say what the file is."""


OWN_ROOM = re.compile(r"textedit_bench\.\w+")
"""One is named after a latent space, as the paper that found it."""


def test_no_code_of_the_framework_names_a_method():
    """Prose may cite a paper; names, imports and texts of the code may not, but for the list of published files."""
    methods = [card.name for card in list_methods() if not card.control]
    assert methods
    words = re.compile("|".join(rf"(?<![a-z]){name.replace('-', '[-_ ]?')}(?![a-z])" for name in methods), re.I)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in (ROOT / "textedit_bench").rglob("*.py")
        if path != PUBLISHED_FILES
        for line, text in _code_words(ast.parse(path.read_text()))
        if words.search(OWN_ROOM.sub("", text))
    ]
    assert found == []


def _code_words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Identifiers, module names and texts of a module with their lines; docstrings left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None  # a docstring, visited after its statement
        for name in ("id", "attr", "name", "module", "arg", "value"):
            text = getattr(node, name, None)
            if isinstance(text, str):
                yield getattr(node, "lineno", 0), text


def test_the_house_keeps_its_import_rules():
    """The contracts of `[tool.importlinter]`, which `make lint` checks too, of this checkout's own sources."""
    roots = os.pathsep.join(str(ROOT / root) for root in (*PACKAGES.values(), *WORKSHOP.values()))
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = [sys.executable, "-P", "-c", program, "--no-cache"]
    variables = {**os.environ, "PYTHONPATH": roots}
    ended = subprocess.run(run, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("place", ["textedit_bench", "workshop/textedit_workshop"])
def test_the_picture_of_the_house_shows_every_room(place):
    rooms = {path.name for path in (ROOT / place).iterdir() if path.suffix == ".py" or path.is_dir()}
    house = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    hidden = rooms - {"__init__.py", "__pycache__"}
    assert [room for room in sorted(hidden) if not re.search(rf"`({place}/)?{re.escape(room)}/?`", house)] == []


def test_the_registered_names_are_those_of_the_project():
    for group, names in PROJECT["project"]["entry-points"].items():
        registered = {p.name: p.value for p in entry_points(group=group) if p.dist and p.dist.name == "textedit-bench"}
        assert registered == names


def test_every_private_function_is_called_or_registered_by_a_decorator():
    """A method that overrides one of the base class, which has since been renamed, is never called."""
    defined: dict[str, str] = {}
    named: set[str] = set()
    for package, root in (PACKAGES | WORKSHOP).items():
        for path in sorted((ROOT / root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and not node.decorator_list and re.match("_[^_]", node.name):
                    defined[node.name] = f"{path.relative_to(ROOT)}:{node.lineno}"
                elif isinstance(node, ast.Attribute):
                    named.add(node.attr)
                elif isinstance(node, ast.Name):
                    named.add(node.id)
    assert len(defined) > 500
    assert {name: where for name, where in defined.items() if name not in named} == {}
