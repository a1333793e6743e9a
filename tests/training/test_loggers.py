"""Curves go to a CSV file, or to Weights & Biases without asking anyone for credentials."""

from __future__ import annotations

import pytest
from pytorch_lightning.loggers import CSVLogger

from textedit_bench.training import loggers


def test_csv_is_a_file_in_the_run_folder(tmp_path):
    logger = loggers.make_logger("csv", tmp_path, "run")
    assert isinstance(logger, CSVLogger)
    assert logger.log_dir == str(tmp_path / "curves")


@pytest.mark.parametrize(
    ("mode", "logged_in", "offline"),
    [
        (None, False, True),
        (None, True, False),
        ("offline", True, True),
        ("disabled", True, True),
        ("online", False, False),
    ],
)
def test_wandb_is_offline_unless_logged_in_or_told_otherwise(tmp_path, monkeypatch, mode, logged_in, offline):
    import wandb

    made = {}
    monkeypatch.setattr("pytorch_lightning.loggers.WandbLogger", lambda **options: made.update(options))
    monkeypatch.setattr(wandb, "login", lambda prompt=True, **_: logged_in and not prompt)
    if mode is None:
        monkeypatch.delenv("WANDB_MODE", raising=False)
    else:
        monkeypatch.setenv("WANDB_MODE", mode)
    loggers.make_logger("wandb", tmp_path, "run")
    assert made["offline"] is offline and made["save_dir"] == tmp_path and made["name"] == "run"


def test_wandb_writes_a_run_without_network(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    logger = loggers.make_logger("wandb", tmp_path, "run")
    logger.log_metrics({"training/loss": 1.0}, step=1)
    logger.experiment.finish()
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
