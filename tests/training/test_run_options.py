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
        ({"devices": "0"}, "devices: 0 is not valid; valid: a count from 1"),
        ({"devices": "1,1"}, "devices: .1, 1. is not valid"),
        ({"devices": "-2"}, "devices: -2 is not valid"),
        ({"strategy": "foo"}, "unknown strategy 'foo'.*Valid: auto, ddp,"),
        ({"seed": -1}, "seed: -1 is not valid"),
        ({"seed": 2**64}, "seed: 18446744073709551616 is not valid"),
        ({"preview_images": -1}, "preview_images: -1 is not valid"),
        ({"stop_after_minutes": float("nan")}, "stop_after_minutes: nan is not valid; valid: numbers from 0"),
        ({"stop_after_minutes": -1.0}, "stop_after_minutes: -1.0 is not valid"),
        ({"folder": Path(__file__)}, "folder .*test_run_options.py.* is not a folder that can be written"),
        ({"folder": Path(__file__) / "below"}, "folder .*below: .* is not a folder that can be written"),
    ],
)
def test_wrong_values_name_the_valid_ones(wrong, message):
    with pytest.raises(UserError, match=message):
        RunOptions(**wrong)


@pytest.mark.parametrize(("given", "wanted"), [("2", 2), ("0,3", [0, 3]), ("auto", "auto"), (1, 1), ("-1", -1)])
def test_devices(given, wanted):
    assert RunOptions(devices=given).devices == wanted


def test_the_environment_chooses_the_logger(monkeypatch):
    monkeypatch.setenv("LOGGER", "wandb")
    assert RunOptions().logger == "wandb"
    assert RunOptions(logger="csv").logger == "csv"
    monkeypatch.setenv("LOGGER", "")
    assert RunOptions().logger == "csv"
