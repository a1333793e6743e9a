"""Every method that trains does so in two processes that start at once, and inside a job that it is not part of."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from textedit_bench.registry import list_methods
from textedit_bench.testing import write_toy_dataset

SCRIPT = Path(__file__).parent / "every_method.py"
TRAINING = [info.name for info in list_methods() if info.trains != "none"]
OF_A_JOB = {"SLURM_JOB_ID": "7", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_NTASKS": "2"} | {
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_NODELIST": "here",
    "SLURM_JOB_NAME": "x",
}


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_toy_dataset(tmp_path_factory.mktemp("toy"))


def _start(folder: Path, card: Path, method: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "RANK", "LOCAL_RANK"))}
    given = {**clean, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1", **environment}
    command = [sys.executable, str(SCRIPT), str(folder), str(card), method]
    return subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _ended(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said[-3000:]


def _left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.suffix in (".tmp", ".part") or path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize("method", TRAINING)
def test_two_processes_that_start_at_once_prepare_once_and_learn_the_same(tmp_path, card, method):
    """As ``torchrun`` and SLURM start them; gloo, on the CPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    job = {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "GROUP_RANK": "0",
    }
    job["TORCHELASTIC_RUN_ID"] = "1"
    both = [_start(tmp_path, card, method, **job, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(2)]
    for process in both:
        _ended(process)
    first, second = (json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in range(2))
    assert {**first, "photos": 0} == {**second, "photos": 0} and first["kept"]
    assert min(first["photos"], second["photos"]) == 0, "both inverted the photos"
    assert _left_over(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", TRAINING)
def test_one_process_inside_a_job_of_several_trains_alone(tmp_path, card, method):
    """Such as a training on demand in a Ray worker that SLURM started as its second task."""
    _ended(_start(tmp_path / "job", card, method, **OF_A_JOB))
    _ended(_start(tmp_path / "alone", card, method))
    job, alone = (json.loads((tmp_path / name / "rank-0.json").read_text()) for name in ("job", "alone"))
    assert job == alone
