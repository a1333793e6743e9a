"""Curves go to a CSV file, or to Weights & Biases without asking anyone for credentials."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pytorch_lightning.loggers import CSVLogger

from textedit_bench.training import loggers


def test_csv_is_a_file_in_the_run_folder(tmp_path):
    logger = loggers.make_logger("csv", tmp_path, "run")
    assert isinstance(logger, CSVLogger)
    assert logger.log_dir == str(tmp_path / "curves")


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """Somebody who never heard of wandb."""
    for name in [name for name in os.environ if name.startswith("WANDB_")] + ["NETRC"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize("mode", [None, "online", "offline", "disabled"])
@pytest.mark.parametrize("how", ["", "key", "netrc", "_netrc", "elsewhere", "other host", "damaged"])
def test_wandb_is_offline_unless_logged_in_or_told_otherwise(tmp_path, monkeypatch, nobody, mode, how):
    made = {}
    monkeypatch.setattr("pytorch_lightning.loggers.WandbLogger", lambda **options: made.update(options))
    line = "machine api.wandb.ai login user password secret\n"
    if how == "key":
        monkeypatch.setenv("WANDB_API_KEY", "secret")
    elif how in ("netrc", "damaged"):
        (nobody / ".netrc").write_text(line if how == "netrc" else "machine machine machine")
    elif how == "_netrc":
        (nobody / "_netrc").write_text(line)
    elif how == "elsewhere":
        (tmp_path / "secrets").write_text(line)
        monkeypatch.setenv("NETRC", str(tmp_path / "secrets"))
    elif how == "other host":
        (nobody / ".netrc").write_text(line)
        monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    loggers.make_logger("wandb", tmp_path, "run")
    logged_in = how in ("key", "netrc", "_netrc", "elsewhere")
    assert made["offline"] is (mode in ("offline", "disabled") or (mode is None and not logged_in))
    assert made["save_dir"] == tmp_path and made["name"] == "run"


def test_whoever_is_not_logged_in_gets_an_offline_run(tmp_path):
    """In a process of its own, since wandb reads its settings once."""
    code = f"""
from pathlib import Path
from textedit_bench.training.loggers import make_logger
logger = make_logger("wandb", Path({str(tmp_path)!r}), "run")
logger.log_metrics({{"training/loss": 1.0}}, step=1)
logger.experiment.finish()
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    environment = {**kept, "HOME": str(tmp_path), "PYTHONSAFEPATH": "1"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))


def test_wandb_writes_a_run_without_network(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    logger = loggers.make_logger("wandb", tmp_path, "run")
    logger.log_metrics({"training/loss": 1.0}, step=1)
    logger.experiment.finish()
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
