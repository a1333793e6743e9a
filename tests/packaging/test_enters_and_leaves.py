"""Checkpoints, trainings, signals and streams go through the one shared way of docs/pages/edges.md, by the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for root in ("textedit_bench", "methods", "workshop") for p in sorted((ROOT / root).rglob("*.py"))]
PAGE = (ROOT / "docs" / "pages" / "edges.md").read_text(encoding="utf-8")

PLACES = {
    "torch.load": {
        "textedit_bench/models/torch_files.py",
        "textedit_bench/models/pickles.py",
        "textedit_bench/data/codes.py",
        "workshop/textedit_workshop/rehearsal/checks.py",  # what a stage has just written
        "textedit_bench/training/run.py",  # its own checkpoints, whose checksums were looked at
    },
    "torch.jit.load": set(),
    "pickle.load": set(),
    "pickle.loads": {
        "textedit_bench/bench/engines/slurm.py",  # between processes of one run
        "textedit_bench/testing/checks/keeping.py",  # what it has just pickled
    },
    "pickle.Unpickler": {"textedit_bench/models/pickles.py"},
    "signal.signal": {"textedit_bench/stopping.py", "textedit_bench/bench/engines/processes.py"},
    "trainer.fit": {"textedit_bench/fit.py"},
    "pl.Trainer": {"textedit_bench/training/trainer.py", "workshop/textedit_workshop/worlds/training/fit.py"},
}
"""What is called -> where alone."""


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node
        elif isinstance(node, ast.ClassDef):
            yield from ((ast.unparse(base), ast.Call(base, [], [])) for base in node.bases)


def _where(name: str) -> set[str]:
    return {str(p.relative_to(ROOT)) for p in SOURCES for found, _ in _calls(p) if found == name}


@pytest.mark.parametrize("name", PLACES)
def test_nothing_is_called_beside_the_shared_way(name):
    assert _where(name) == PLACES[name]


def test_no_array_file_is_read_with_objects_in_it():
    loads = [(path, call) for path in SOURCES for name, call in _calls(path) if name in ("np.load", "numpy.load")]
    assert len(loads) > 3
    for path, call in loads:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert given.get("allow_pickle", "False") == "False", path


def test_every_torch_load_is_of_weights_only():
    for path in SOURCES:
        for name, call in _calls(path):
            if name == "torch.load":
                assert {word.arg: ast.unparse(word.value) for word in call.keywords}["weights_only"] == "True", path


def test_every_command_that_can_be_started_takes_signals_and_streams_in_the_shared_way():
    main = (ROOT / "textedit_bench" / "cli" / "main.py").read_text(encoding="utf-8")
    assert "with forgiving(), stopping.stoppable():" in main
    rehearsal = ROOT / "workshop" / "textedit_workshop" / "rehearsal" / "__main__.py"
    assert "stopping.stoppable()" in rehearsal.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--output", "--export", "--results", "--folder", "--write-readme", "TARGET"])
def test_the_page_names_every_option_that_writes(option):
    assert option in PAGE


def test_the_page_names_every_place():
    named = {place for name in ("torch.load", "signal.signal", "trainer.fit") for place in PLACES[name]}
    for place in sorted(place for place in named if place.startswith("textedit_bench")):
        module = place.removeprefix("textedit_bench/").removesuffix(".py").replace("/", ".")
        assert module in PAGE, module
