"""Two processes (gloo, on the CPU) learn what one learns: the same batches, the same curve, within float sums."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from textedit_bench.errors import UserError
from textedit_bench.training import RunOptions

SCRIPT = Path(__file__).parent / "several_processes.py"
TOLERANCE = 1e-5
"""Relative. Means over halves of a batch are added in another order than those of the whole; nothing else differs."""


def _curve(folder: Path) -> pd.DataFrame:
    curves = pd.concat([pd.read_csv(path) for path in sorted(folder.rglob("metrics.csv"))])
    return curves.sort_values(["step", "epoch"], kind="stable").reset_index(drop=True)


def _train(folder: Path, devices: int) -> pd.DataFrame:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(SCRIPT), str(folder), str(devices)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert len(list(folder.rglob("last.ckpt"))) == 1
    return _curve(folder)


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    one, two = _train(tmp_path / "one", 1), _train(tmp_path / "two", 2)
    assert list(one.columns) == list(two.columns) and len(one) == len(two)
    furthest = 0.0
    for column in [name for name in one if name.startswith(("training/", "validation/"))]:
        a, b = one[column].dropna().to_numpy(), two[column].dropna().to_numpy()
        assert len(a) == len(b) > 0
        furthest = max(furthest, float(np.abs(a - b).max() / np.abs(a).max()))
    first, last = one["training/loss"].dropna().iloc[[0, -1]]
    print(f"loss {first:.4f} -> {last:.4f}; largest difference of any curve, relative: {furthest:.1e}")
    assert last < first / 2, "nothing was learnt, so nothing was compared"
    assert furthest < TOLERANCE


@pytest.mark.parametrize("number", [0, -1, True, 1.5])
def test_a_number_of_machines_that_is_none_is_refused(number):
    with pytest.raises(UserError, match="num_nodes"):
        RunOptions(num_nodes=number)
