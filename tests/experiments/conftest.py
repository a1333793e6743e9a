"""The toy benchmark of the bench's tests, in place of the installed plugins."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TINY = Path(__file__).parents[1] / "bench" / "tiny.py"


@pytest.fixture
def tiny(monkeypatch):
    """The module of the toy benchmark, installed for one test."""
    spec = importlib.util.spec_from_file_location("experiments_tiny", TINY)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "experiments_tiny", module)
    for name in ("bench_tiny", "bench_tiny_cards"):
        monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    module.install(monkeypatch.setattr)
    return module


@pytest.fixture
def card(tiny, tmp_path):
    """The toy data set's card."""
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny.CARD)
    return path
