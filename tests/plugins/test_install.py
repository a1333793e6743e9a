"""A new method from nothing to its row in a table, as its author types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from textedit_bench.testing import write_toy_dataset

pytestmark = pytest.mark.slow


def _run(*words: str, cwd: Path, **environment: str) -> str:
    values = {**os.environ, "TEXTEDIT_BENCH_HOME": str(cwd / "home"), **environment}
    ended = subprocess.run(words, cwd=cwd, env=values, capture_output=True, text=True)
    assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def _bench(*words: str, cwd: Path, site: Path) -> str:
    code = "import sys; from textedit_bench.cli.main import main; sys.exit(main())"
    return _run(sys.executable, "-P", "-c", code, *words, cwd=cwd, PYTHONPATH=str(site))


@pytest.mark.parametrize("kind", ["latent", "trained"])
def test_a_new_method_is_installed_checked_and_benched(kind, tmp_path):
    site, name = tmp_path / "site", "zz-fresh"
    _bench("new-method", name, "--kind", kind, cwd=tmp_path, site=site)
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site), f"./{name}"]
    _run(sys.executable, *install, cwd=tmp_path)

    assert name in _bench("methods", cwd=tmp_path, site=site)
    assert f"{name}: " in (checked := _bench("check", name, cwd=tmp_path, site=site))
    assert " 0 failed" in checked

    card = write_toy_dataset(tmp_path / "toy", judges=True)
    if kind == "trained":
        few = {"epochs": 1, "steps_per_epoch": 2, "num_codes": 8, "batch_size": 2}
        chosen = [word for key, value in few.items() for word in ("--set", f"{key}={value}")]
        _bench("train", "-m", name, "-d", str(card), *chosen, cwd=tmp_path, site=site)
    small = ["--prompts", "bright-top", "--images", "4", "--strengths", "0,1", "--threads", "1"]
    _bench("bench", "-m", name, "-d", str(card), *small, cwd=tmp_path, site=site)
    table = pd.read_csv(tmp_path / "results" / "mini" / "table.csv")
    row = table[table["method"] == name]
    assert len(row) == 1
    assert row.iloc[0]["success"] >= 0
