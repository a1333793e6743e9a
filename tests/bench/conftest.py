"""The tiny benchmark as fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from textedit_bench.bench import shards

TINY = Path(__file__).parent / "tiny.py"


def load_tiny() -> ModuleType:
    """The module under the name that its cards use."""
    if "bench_tiny" not in sys.modules:
        spec = importlib.util.spec_from_file_location("bench_tiny", TINY)
        assert spec is not None and spec.loader is not None
        sys.modules["bench_tiny"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["bench_tiny"]


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """The tiny benchmark in place of the installed plugins; ``tiny.run(folder, *methods, **options)`` benches."""
    return _ready(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished bench of one method with its controls; tests must not change it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("finished")
        made = _ready(patch, folder)
        made.summary = made.run(folder / "results", "shift")
        made.results = folder / "results"
        yield made


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A finished census of two methods with its controls; tests must not change its results."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("counted")
        made = _ready(patch, folder)
        made.results = folder / "results"
        made.summary = made.run(made.results, "shift", "styles", protocol="census", images=3)
        yield made


@pytest.fixture
def small_passes(monkeypatch):
    """Two images per network pass, so that eight images make up to four shards."""
    monkeypatch.setattr(shards, "BATCH", 2)


@pytest.fixture
def contents():
    """Path -> every stored byte of a results folder that does not say when, where or how long."""
    names = ("records.parquet", "features.npz", "edits.safetensors", "images.zip", "table.csv")

    def read(results):
        paths = [path for path in sorted(results.rglob("*")) if path.name in names]
        return {str(path.relative_to(results)): path.read_bytes() for path in paths}

    return read


def _ready(patch, folder: Path) -> ModuleType:
    from textedit_bench.benchmark import run_bench

    module = load_tiny()
    module.install(patch.setattr)
    card = folder / "tiny.yaml"
    card.write_text(module.CARD)
    made = ModuleType("ready")
    made.card, made.module, made.path = card, module, TINY
    made.lines = []
    made.request = lambda results, *methods, **options: module.request(results, card, *methods, **options)
    made.run = lambda results, *methods, **options: run_bench(
        made.request(results, *methods, **options), reporter=Lines(made.lines)
    )
    return made


class Lines:
    """A reporter that remembers what it was told."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def note(self, text):
        self.lines.append(text)

    def begin(self, cells):
        self.lines.append(f"{cells} cells")

    def working(self, label):
        pass

    def ended(self, outcome):
        self.lines.append(f"{outcome.state.value}: {outcome.label}")

    def close(self):
        self.lines.append("closed")
