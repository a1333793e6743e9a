"""The pool on SLURM: workers take jobs out of a folder, and what becomes of those that vanish."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from textedit_bench.bench.engines import node, open_pool
from textedit_bench.bench.engines import slurm as module
from textedit_bench.bench.engines.schedule import Schedule
from textedit_bench.bench.engines.worker import CellJob, DatasetEnd, DatasetJob, WorkerLost
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import PlainReporter, State
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError

from .stored import contents


class _Thread:
    """A job of SLURM that is a thread of this process."""

    job_id = "7"

    def __init__(self, function, *arguments):
        self._thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._thread.start()

    def done(self):
        return not self._thread.is_alive()

    def exception(self):
        return RuntimeError("the node\nfailed")

    def cancel(self, check):
        pass


@pytest.fixture
def pool(monkeypatch, tmp_path):
    """Makes a pool; its executor starts threads, or what is given in their place."""

    def make(start=_Thread, workers=2):
        monkeypatch.setattr(module, "_executor", lambda request, logs: SimpleNamespace(submit=start))
        monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
        return module.Slurm((BenchRequest(engine="slurm", workers=workers, results=tmp_path),))

    return make


def _worker(monkeypatch, run):
    made = SimpleNamespace(run=run)
    monkeypatch.setattr("textedit_bench.bench.engines.worker.Worker", lambda *_: made)


def test_jobs_are_done_by_workers_that_stay(monkeypatch, pool, tmp_path):
    _worker(monkeypatch, lambda job: DatasetEnd({}, error=job.label))
    made = pool()
    for number in range(-1, 6):
        made.submit(number, CellJob("d", "m", "p", f"job {number}"))
    ended = {}
    while len(ended) < 7:
        ended.update(made.wait())
    assert {number: end.error for number, end in ended.items()} == {n: f"job {n}" for n in range(-1, 6)}
    assert len(made._workers) == 2
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_the_job_of_a_worker_that_vanished_is_given_back_and_another_worker_is_started(monkeypatch, pool):
    started = []

    def start(function, place, setup, name, asked):
        started.append(name)
        if len(started) == 1:
            return _Thread(lambda: module._take(place, name))  # takes a job and is gone
        return _Thread(function, place, setup, name, asked)

    _worker(monkeypatch, lambda job: DatasetEnd({}))
    made = pool(start, workers=1)
    made.submit(3, DatasetJob("x"))
    ((number, end),) = made.wait()
    assert number == 3 and end == WorkerLost("job 7: the node failed")
    made.submit(3, DatasetJob("x"))
    assert made.wait() == [(3, DatasetEnd({}))]
    assert len(started) == 2
    made.close()


def test_workers_that_never_get_to_work_end_the_bench_in_one_line(pool):
    made = pool(lambda *_: _Thread(lambda: None))
    made.submit(0, DatasetJob("x"))
    with pytest.raises(UserError, match=r"3 workers ended before they took a job; the last: job 7: the node failed"):
        made.wait()


def test_what_a_worker_cannot_serve_is_the_benchs_end(monkeypatch, pool):
    def refuse(*_):
        raise UserError("node a has other versions")

    monkeypatch.setattr(module, "check_node", refuse)
    made = pool()
    made.submit(0, DatasetJob("x"))
    with pytest.raises(UserError, match="other versions"):
        made.wait()
    made.close()


def test_a_worker_whose_bench_is_gone_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "ORPHANED", 0.05)
    began = time.monotonic()
    module.serve(tmp_path, (), "w0", {})
    module.serve(tmp_path / "removed", (), "w0", {})
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "workers: required for slurm"),
        ({"workers": 2, "devices": (0, 1)}, "on slurm the cluster assigns GPUs"),
        ({"workers": 2, "engine": "ray", "slurm": {"mem_gb": 4}}, "mem_gb given for engine ray"),
    ],
)
def test_what_slurm_cannot_use_is_refused(options, words):
    with pytest.raises(UserError, match=words):
        BenchRequest(**{"engine": "slurm", **options})


@pytest.mark.parametrize(
    ("slurm", "words"),
    [({}, "sbatch, which was not found"), ({"cluster": "moon"}, "moon"), ({"cluster": "local", "colour": 1}, "colour")],
)
def test_a_cluster_or_a_parameter_that_is_not_there_is_one_line(monkeypatch, tmp_path, slurm, words):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(UserError, match=words) as told:
        module.Slurm((BenchRequest(engine="slurm", workers=1, slurm=slurm, results=tmp_path),))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("other", [False, True])
def test_nodes_with_different_gpus_do_not_share_a_bench(monkeypatch, tmp_path, other):
    mark = tmp_path / "mark"
    mark.touch()
    cards = iter(["H100", "A100" if other else "H100"])
    monkeypatch.setattr(node, "_card", lambda device: next(cards))
    node.check_node(mark, node.versions(), "cuda")
    if other:
        with pytest.raises(UserError, match="has A100, another has H100"):
            node.check_node(mark, node.versions(), "cuda")
    else:
        node.check_node(mark, node.versions(), "cuda")
    node.check_node(mark, node.versions(), "cpu")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mark", "mark-card"]


@pytest.mark.slow
def test_workers_started_by_submitit_one_of_them_killed_leave_the_records_of_a_local_run(house, tmp_path):
    """With its executor of this machine: real processes, as SLURM would start them on nodes."""
    quiet = PlainReporter(io.StringIO())
    run_cells(house.request(tmp_path / "alone", prompts=4), quiet)
    request = house.request(
        tmp_path / "slurm", prompts=4, engine="slurm", workers=2, slurm={"cluster": "local", "timeout_min": 30}
    )
    pool = open_pool(request, plan(request), DatasetSession, Store)
    killed, over = [], threading.Event()

    def kill() -> None:
        while not over.is_set() and sum(1 for _ in request.results.rglob("records.parquet")) < 3:
            time.sleep(0.05)
        controller = next(iter(pool._workers.values()))._process.pid
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(controller)], capture_output=True, text=True)
        for pid in map(int, found.stdout.split()):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        schedule = Schedule(plan(request), pool, quiet)
        schedule.run()
    finally:
        over.set()
        thread.join()
        pool.close()
    assert killed and State.FAILED not in {outcome.state for outcome in schedule.outcomes}
    assert contents(tmp_path / "slurm") == contents(tmp_path / "alone")
