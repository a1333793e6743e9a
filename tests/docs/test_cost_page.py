"""The figures of the cost page are those of the networks, the cards and the committed records."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model():
    spec = importlib.util.spec_from_file_location("cost_model", ROOT / "tools" / "cost_model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["cost_model"] = module
    spec.loader.exec_module(module)
    yield module
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
