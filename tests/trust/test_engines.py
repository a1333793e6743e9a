"""Real processes and a real Ray cluster: workers and a node are killed on the way, and the records stay the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from textedit_bench.bench import engines
from textedit_bench.bench.engines import open_pool
from textedit_bench.bench.engines.processes import Processes
from textedit_bench.bench.engines.schedule import Schedule
from textedit_bench.bench.engines.worker import CellJob, CellResult, DatasetEnd, DatasetJob, OwnProcess
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import CellOutcome, PlainReporter, State
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.benchmark import run_bench
from textedit_bench.cli.options import read_shares
from textedit_bench.errors import UserError

from .conftest import METHOD
from .stored import contents, records_digest


def _quiet() -> PlainReporter:
    return PlainReporter(open(os.devnull, "w"))


def test_an_unknown_engine_and_workers_without_one_are_refused(house, tmp_path):
    with pytest.raises(UserError, match=r"unknown engine 'spark'.* Valid: auto, local, processes, ray, slurm"):
        house.request(tmp_path, engine="spark")
    with pytest.raises(UserError, match="workers: 2 asked of the local engine"):
        house.request(tmp_path, workers=2)
    with pytest.raises(UserError, match=r"gpus: 1\.5 of every method"):
        house.request(tmp_path, engine="ray", gpus={"": 1.5})


@pytest.mark.parametrize(
    ("pictures", "cpus", "gigabytes", "workers"),
    [(50_000, 8, 64, 8), (50_000, 8, 16, 4), (50_000, 1, 64, 1), (100, 8, 64, 1), (50_000, 8, 1, 1)],
)
def test_auto_takes_a_worker_per_cpu_where_work_and_memory_suffice(
    pictures, cpus, gigabytes, workers, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)))
    monkeypatch.setattr(os, "sysconf", lambda name: gigabytes << 18 if name == "SC_PHYS_PAGES" else 4096)
    monkeypatch.setattr(Processes, "_start", None)  # none is started before there is a job
    request = BenchRequest(engine="auto", results=tmp_path, strengths=(0.0,))
    asked = SimpleNamespace(cell_count=pictures, images=1, tier="mini", card=SimpleNamespace(name="tiny"))
    pool = open_pool(request, [asked], DatasetSession, Store)
    assert (type(pool), pool.slots) == (Processes if workers > 1 else OwnProcess, workers)


def test_auto_starts_no_worker_for_what_is_stored(house, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    request = house.request(tmp_path, engine="auto")
    run_cells(request, _quiet())
    monkeypatch.setattr(engines, "WORTH_WORKERS", 1)
    assert type(open_pool(request, plan(request), DatasetSession, Store)) is OwnProcess
    assert (
        type(open_pool(replace(request, results=tmp_path / "new"), plan(request), DatasetSession, Store)) is Processes
    )


class _Slots:
    """A pool whose jobs end in the order in which they were submitted."""

    def __init__(self, slots: int) -> None:
        self.slots, self.jobs, self.together = slots, [], []

    def submit(self, number, job):
        self.jobs.append((number, job))

    def wait(self):
        self.together.append([job.method for _, job in self.jobs if isinstance(job, CellJob)])
        number, job = self.jobs.pop(0)
        if isinstance(job, DatasetJob):
            return [(number, DatasetEnd({}))]
        return [(number, CellResult(CellOutcome(job.label, "", State.DONE)))]


def test_a_second_worker_begins_another_method_while_the_first_cell_of_one_is_made(house, tmp_path):
    pool = _Slots(2)
    Schedule(plan(house.request(tmp_path, prompts=6)), pool, _quiet()).run()
    first, second = pool.together[1]
    assert first == METHOD != second
    assert any(one == METHOD == other for one, other in (pair for pair in pool.together if len(pair) == 2))


def test_ray_that_is_not_installed_is_told_with_the_command_that_installs_it(house, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'textedit-bench\[ray\]'"):
        run_cells(house.request(tmp_path / "r", engine="ray"), _quiet())


def _through(request, kill: Callable[[], bool], kills: int) -> tuple[Schedule, int]:
    """Run with a thread that kills something at random moments; the schedule and how many kills there were."""
    pool, done, killed = open_pool(request, plan(request), DatasetSession, Store), threading.Event(), []
    chance = random.Random(0)

    def killer() -> None:
        while not done.is_set() and len(killed) < kills:
            before = sum(1 for _ in request.results.rglob("records.parquet"))
            time.sleep(chance.uniform(0.05, 0.5))
            while not done.is_set() and sum(1 for _ in request.results.rglob("records.parquet")) <= before:
                time.sleep(0.01)
            if not done.is_set() and kill(pool):
                killed.append(time.monotonic())

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        schedule = Schedule(plan(request), pool, _quiet())
        schedule.run()
    finally:
        done.set()
        thread.join()
        pool.close()
    return schedule, len(killed)


@pytest.mark.slow
def test_killed_processes_change_no_record(house, tmp_path):
    run_cells(house.request(tmp_path / "alone", prompts=6), _quiet())

    def kill(pool) -> bool:
        pids = pool.pids()
        if not pids:
            return False
        os.kill(random.choice(pids), signal.SIGKILL)
        return True

    request = house.request(tmp_path / "processes", prompts=6, engine="processes", workers=2)
    schedule, killed = _through(request, kill, kills=3)
    print(f"{killed} processes killed, {schedule.lost} jobs submitted again")
    assert killed == 3
    assert contents(tmp_path / "processes") == contents(tmp_path / "alone")


@pytest.fixture
def nodes(house, tmp_path):
    """A Ray cluster of this machine: a head that computes nothing, and two nodes with one CPU each."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray's name; its 15 starves workers on a busy machine
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield cluster, workers
    finally:
        os.environ.pop("RAY_ADDRESS", None)
        os.environ.pop("RAY_worker_niceness", None)
        ray.shutdown()
        cluster.shutdown()


def _ray_workers() -> list[int]:
    """Process ids of the actors that compute, on this machine."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split()[0]) for line in found if "ray::_Remote" in line]


@pytest.mark.slow
def test_ten_killed_ray_workers_change_no_record(nodes, house, tmp_path):
    run_cells(house.request(tmp_path / "alone", prompts=12), _quiet())

    def kill(pool) -> bool:
        pids = [pid for pid in _ray_workers() if _descends_from_us(pid, house)]
        if not pids:
            return False
        os.kill(random.choice(pids), signal.SIGKILL)
        return True

    schedule, killed = _through(house.request(tmp_path / "ray", prompts=12, engine="ray"), kill, kills=10)
    cells, digest = records_digest(tmp_path / "ray")
    print(f"{cells} cells on Ray, {killed} workers killed, {schedule.lost} jobs submitted again, digest {digest}")
    assert killed == 10
    assert cells >= 60
    assert (cells, digest) == records_digest(tmp_path / "alone")


def _descends_from_us(pid: int, house) -> bool:
    """Whether a process finds the method of this test: other tests' clusters are left alone."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return house.environment["PYTHONPATH"] in environment


@pytest.mark.slow
def test_a_ray_node_that_is_killed_leaves_the_table_of_a_local_run(nodes, tmp_path, monkeypatch):
    """The mini faces, with the networks and methods that are shipped."""
    cluster, workers = nodes
    request = BenchRequest(
        methods=("interfacegan",),
        datasets=("ffhq",),
        tier="mini",
        images=8,
        strengths=(0.0, 1.0),
        threads=1,
        results=tmp_path / "local",
    )
    local = run_bench(request, _quiet())
    assert State.FAILED not in local.counts

    ended = threading.Event()

    def kill_a_node() -> None:
        while not ended.is_set() and sum(1 for _ in (tmp_path / "ray").rglob("records.parquet")) < 8:
            time.sleep(0.05)
        cluster.remove_node(workers[0], allow_graceful=False)
        ended.set()

    thread = threading.Thread(target=kill_a_node)
    thread.start()
    spread = run_bench(replace(request, results=tmp_path / "ray", engine="ray"), _quiet())
    killed = ended.is_set()
    ended.set()
    thread.join()
    assert killed, "the bench ended before a node was killed"
    assert State.FAILED not in spread.counts
    tables = [(tmp_path / name / "mini" / "table.csv").read_bytes() for name in ("local", "ray")]
    rows = len(pd.read_csv(tmp_path / "ray" / "mini" / "table.csv"))
    print(f"{sum(spread.counts.values())} cells on two nodes, one killed; {rows} rows, table.csv equal byte for byte")
    assert tables[0] == tables[1]
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


class _OfDeclaredGpus(BenchRequest):
    """A request of CUDA that reaches the workers as one of the CPU: Ray deals cards that are only declared."""

    def __reduce__(self):
        fields = {name: getattr(self, name) for name in asdict(self)}
        return partial(BenchRequest, **{**fields, "device": "cpu", "gpus": {}}), ()


@pytest.mark.slow
def test_ray_ends_where_methods_need_different_shares_of_a_gpu(house, tmp_path):
    """The documented ``--gpus METHOD=1,0.25``: a method with whole cards, its controls with quarters."""
    import ray

    asked = house.request(tmp_path / "ray", prompts=3, engine="ray", gpus=read_shares("--gpus", f"{METHOD}=1,0.25"))
    request = _OfDeclaredGpus(**{name: getattr(asked, name) for name in asdict(asked)} | {"device": "cuda"})
    ray.init(num_cpus=4, num_gpus=2, include_dashboard=False)
    try:
        spread = run_cells(request, _quiet())
    finally:
        ray.shutdown()
    run_cells(house.request(tmp_path / "alone", prompts=3), _quiet())
    print(spread.summary.counts)
    assert State.FAILED not in spread.summary.counts
    assert contents(tmp_path / "ray") == contents(tmp_path / "alone")
