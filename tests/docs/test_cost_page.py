"""The figures of the cost page are those of the networks, the cards and the committed records."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model():
    yield _tool("cost_model")
    del sys.modules["cost_model"]


def test_the_page_is_what_the_tool_writes(model):
    text = model.PAGE.read_text()
    shown = text[text.index(model.BEGIN) + len(model.BEGIN) : text.index(model.END)]
    assert shown.strip() == model.page().strip(), "run: python tools/cost_model.py"


def test_cells_go_to_the_gpu_that_is_free_first(model):
    assert model.schedule([3.0, 2.0, 2.0, 1.0], 2) == 4.0
    assert model.schedule([5.0, 1.0], 8) == 5.0
    assert model.schedule([1.5] * 4, 1) == 6.0


def test_a_transformer_is_counted_as_large_as_published(model):
    # Radford et al. 2021: about 4.4 and 81 billion multiply-adds for the two towers.
    assert model.transformer(768, 12, 224, 32).forward / 2e9 == pytest.approx(4.4, rel=0.05)
    assert model.transformer(1024, 24, 224, 14).forward / 2e9 == pytest.approx(81, rel=0.05)


def test_threads_work_beside_the_gpu_and_the_rest_waits(model):
    beside = model.Beside()
    assert beside.total <= 60, "milliseconds of processor time per edited picture of 1024 pixels"
    waiting = beside.waiting * 1000 / 3.6e6
    assert beside.hours(10.0, 1000, png=True) == pytest.approx(10.0 + waiting)
    encoding = beside.threaded * 1000 / model.THREADS / 3.6e6
    assert beside.hours(0.0, 1000, png=True) == pytest.approx(encoding + waiting)
    assert beside.hours(0.0, 1000, png=False) < beside.hours(0.0, 1000, png=True)


def test_what_is_measured_is_what_the_page_shows(model, monkeypatch):
    tool = _tool("edit_cost")
    monkeypatch.setattr(tool, "REPEATS", 1)
    committed = model.rows_of(model.BESIDE)
    found = tool.rows()
    assert [row["work"] for row in found] == [row["work"] for row in committed]
    assert all(float(row["now_ms"]) <= 1.5 * float(row["before_ms"]) for row in found), "nothing became slower"
    del sys.modules["edit_cost"]
