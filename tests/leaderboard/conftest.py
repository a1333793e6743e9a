"""Stored results, as files of several labs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from textedit_bench.leaderboard.exported import export_results

_SPEC = importlib.util.spec_from_file_location("stored_results", Path(__file__).parents[1] / "stored_results.py")
stored_results = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(stored_results)


@pytest.fixture(scope="session")
def store_results():
    """``store_results(folder, **options)`` stores made-up results."""
    return stored_results.store_results


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """``lab(name, **options)`` gives the result file of a lab."""

    def make(name, **options):
        return export_results(stored_results.store_results(tmp_path_factory.mktemp("results"), **options), "mini", name)

    return make
