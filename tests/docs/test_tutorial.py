"""The tutorial and its notebook work as written, and build the same method."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import nbformat
import pytest

from textedit_bench.plugins.skeleton import write_skeleton
from textedit_bench.testing import TOYS, check_editor
from textedit_workshop.pages.notebook import NOTEBOOK, executed

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "pages" / "tutorial.md").read_text(encoding="utf-8")


def _files() -> dict[str, str]:
    """Path -> content of the files that the tutorial shows."""
    return dict(re.findall(r'^```python title="(\S+)"\n(.*?)^```', TUTORIAL, re.M | re.S))


def _method(source: str) -> dict[str, str]:
    """What each member of the class of the editor does, without docstrings and annotations."""
    (found,) = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    members = {}
    for node in found.body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            members[node.name] = "\n".join(ast.unparse(line) for line in body)
    return members


def test_the_method_of_the_tutorial_keeps_the_rules(tmp_path, monkeypatch):
    (package,) = {Path(name).parts[0] for name in _files()}
    write_skeleton(package.replace("_", "-"), "latent", tmp_path)
    folder = tmp_path / package.replace("_", "-")
    for name, content in _files().items():
        assert (folder / name).is_file(), f"new-method writes no {name}"
        (folder / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    try:
        editor = importlib.import_module(f"{package}.method").MeanDifference
        results = check_editor(editor, geometries=TOYS[:2], settings={"samples": 16})
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
    assert len([result for result in results if result.state == "passed"]) > 20


def test_the_notebook_builds_the_method_of_the_tutorial():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (notebook,) = [cell.source for cell in cells if "class MeanDifference" in cell.source]
    (tutorial,) = [content for name, content in _files().items() if name.endswith("method.py")]
    assert _method(notebook) == _method(tutorial) != {}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Run where it can write nothing into the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        return executed()


def _texts(notebook) -> list[str]:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.get("data", output).get("text/plain", output.get("text", "")) for output in outputs]


def test_the_notebook_runs_and_its_method_edits(notebook):
    table = next(text for text in _texts(notebook) if "Mean Difference" in text)
    success = {
        name: [float(value) for value in re.findall(rf"{name} +([\d.]+)", table)]
        for name in ("Mean Difference", "No edit")
    }
    assert len(success["Mean Difference"]) == len(success["No edit"]) == 2
    assert all(mine > none + 0.3 for mine, none in zip(success["Mean Difference"], success["No edit"], strict=True))


def test_the_stored_outputs_are_those_of_a_run(notebook):
    stored = _texts(nbformat.read(NOTEBOOK, as_version=4))
    numbers = re.compile(r"-?\d+\.\d+")
    assert [numbers.sub("#", text) for text in stored] == [numbers.sub("#", text) for text in _texts(notebook)]
    both = zip(
        (n for t in stored for n in numbers.findall(t)),
        (n for t in _texts(notebook) for n in numbers.findall(t)),
        strict=True,
    )
    # Other versions of torch round otherwise; one photo of twelve may then fall on the other side.
    assert all(abs(float(was) - float(now)) <= 0.1 for was, now in both)
