"""Options of a run are checked where they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from textedit_bench.errors import UserError
from textedit_bench.training import RunOptions


def test_split_separates_the_run_from_the_method():
    run, own = RunOptions.split({"seed": 3, "folder": "x", "latent_weight": 2.0, "strategy": None})
    assert (run.seed, run.folder, run.strategy, own) == (3, Path("x"), "auto", {"latent_weight": 2.0})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"logger": "tensorbord"}, "csv, wandb"),
        ({"precision": "16-true"}, "16-mixed"),
        ({"devices": "two"}, "devices 'two'"),
    ],
)
def test_wrong_values_name_the_valid_ones(wrong, message):
    with pytest.raises(UserError, match=message):
        RunOptions(**wrong)


@pytest.mark.parametrize(("given", "wanted"), [("2", 2), ("0,3", [0, 3]), ("auto", "auto"), (1, 1)])
def test_devices(given, wanted):
    assert RunOptions(devices=given).devices == wanted


def test_the_environment_chooses_the_logger(monkeypatch):
    monkeypatch.setenv("LOGGER", "wandb")
    assert RunOptions().logger == "wandb"
    assert RunOptions(logger="csv").logger == "csv"
    monkeypatch.setenv("LOGGER", "")
    assert RunOptions().logger == "csv"
