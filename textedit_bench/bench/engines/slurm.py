"""The pool on SLURM: workers started through submitit, which take jobs from a folder that all nodes see.

A worker is one SLURM job and keeps its networks between cells. Workers communicate through files in the results
folder, which is shared anyway: ``job-N`` is claimed by renaming it, ``end-N`` holds its result.
"""

from __future__ import annotations

import itertools
import logging
import pickle
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from textedit_bench.bench.engines.node import check_node, versions
from textedit_bench.bench.engines.worker import End, Job, WorkerLost
from textedit_bench.bench.request import BenchRequest
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra
from textedit_bench.files import write_atomically

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between polls of the folder."""
ORPHANED = 600.0
"""Seconds without a sign of the bench after which a worker exits; else it would run until its time limit."""
TRIES = 3
"""How many consecutive workers may end without taking a job."""
_GRACE = 3.0
"""Seconds within which idle workers exit by themselves."""
_ALIVE, _STOP = "alive", "stop"


class Slurm:
    """Up to ``workers`` workers, submitted on demand and again when they are lost.

    Args:
        setup: arguments of `Worker`. The request's ``slurm`` are parameters of submitit: ``slurm_partition``,
            ``timeout_min``, ``mem_gb`` ...; ``cluster=local`` starts the workers on this machine, for tests.

    Raises:
        UserError: submitit is not installed, SLURM is not available, or a parameter is unknown.
    """

    def __init__(self, setup: tuple[Any, ...]) -> None:
        request: BenchRequest = setup[0]
        self.slots = request.workers
        self._setup = setup
        self._place = request.results / f".slurm-{secrets.token_hex(6)}"
        self._executor = _executor(request, self._place / "logs")
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._workers: dict[str, Any] = {}
        self._under_way: set[int] = set()
        self._names = (f"w{number}" for number in itertools.count())
        self._idle_deaths = 0

    def submit(self, number: int, job: Job) -> None:
        """Put a job into the folder, and start a worker if there are fewer workers than jobs."""
        self._under_way.add(number)
        _put(self._place / f"job-{number}", job)
        self._start_workers()

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job ended or its worker was lost."""
        while True:
            (self._place / _ALIVE).touch()
            ended = [*self._ends(), *self._losses()]
            if ended:
                return ended
            self._start_workers()
            time.sleep(LOOK_EVERY)

    def close(self) -> None:
        """Stop every worker; those in SLURM's queue are cancelled."""
        if self._place.exists():
            (self._place / _STOP).touch()
        until = time.monotonic() + _GRACE
        while time.monotonic() < until and not all(worker.done() for worker in self._workers.values()):
            time.sleep(LOOK_EVERY)
        for worker in self._workers.values():
            if not worker.done():
                worker.cancel(check=False)
        shutil.rmtree(self._place, ignore_errors=True)

    def _start_workers(self) -> None:
        while len(self._workers) < min(self.slots, len(self._under_way)):
            name = next(self._names)
            self._workers[name] = self._executor.submit(serve, self._place, self._setup, name, versions())

    def _ends(self) -> list[tuple[int, End]]:
        ended = []
        for number in sorted(self._under_way):
            path = self._place / f"end-{number}"
            if path.exists():
                end = pickle.loads(path.read_bytes())
                path.unlink()
                self._under_way.remove(number)
                self._idle_deaths = 0
                if isinstance(end, BaseException):
                    raise end
                ended.append((number, end))
        return ended

    def _losses(self) -> list[tuple[int, End]]:
        """Return the jobs whose worker is lost."""
        lost: list[tuple[int, End]] = []
        for name in [name for name, worker in self._workers.items() if worker.done()]:
            reason = _reason(self._workers.pop(name))
            taken = [path for path in self._place.glob(f"taken-*-{name}") if not self._end_of(path).exists()]
            for path in taken:
                path.unlink()
                number = _number(path)
                self._under_way.discard(number)
                lost.append((number, WorkerLost(reason)))
            self._idle_deaths += not taken
            if self._idle_deaths >= TRIES:
                raise UserError(f"slurm: {TRIES} workers ended before they took a job; the last: {reason}")
        return lost

    def _end_of(self, taken: Path) -> Path:
        return self._place / f"end-{_number(taken)}"


def serve(place: Path, setup: tuple[Any, ...], name: str, asked: dict[str, Any]) -> None:
    """Run as a worker: take one job after the other until the bench ends."""
    worker: Any = None
    seen, since = "", time.monotonic()
    while place.exists() and not (place / _STOP).exists():
        now = _sign_of_life(place)
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > ORPHANED:
            return
        taken = _take(place, name)
        if taken is None:
            time.sleep(LOOK_EVERY)
            continue
        end: Any
        try:
            if worker is None:
                from textedit_bench.bench.engines.worker import Worker

                check_node(place / _ALIVE, asked, setup[0].device)
                worker = Worker(*setup)
            end = worker.run(pickle.loads(taken.read_bytes()))
        except Exception as error:
            end = error
        _put(place / f"end-{_number(taken)}", end)
        taken.unlink(missing_ok=True)


def _executor(request: BenchRequest, logs: Path) -> Any:
    with needs_extra("slurm", "engine slurm"):
        import submitit
    given = dict(request.slurm)
    cluster = given.pop("cluster", "slurm")
    if cluster == "slurm" and shutil.which("sbatch") is None:
        raise UserError("engine: slurm needs the command sbatch, which was not found; start the bench on a login node")
    usual: dict[str, Any] = {"name": "textedit-bench", "cpus_per_task": request.threads, "timeout_min": 24 * 60}
    if request.device.startswith("cuda"):
        usual["gpus_per_node"] = 1
    try:
        executor = submitit.AutoExecutor(folder=logs, cluster=cluster)
        executor.update_parameters(**{**usual, **given})
    except (ValueError, NameError, TypeError, RuntimeError) as error:
        raise UserError(f"slurm: {' '.join(str(error).split())[:200]}") from error
    return executor


def _sign_of_life(place: Path) -> str:
    """Read a value that changes while the bench runs; its time is not used as such, since clocks of nodes differ."""
    try:
        return str((place / _ALIVE).stat().st_mtime_ns)
    except OSError:
        return ""


def _take(place: Path, name: str) -> Path | None:
    """Claim a job that no other worker has; None if there is none."""
    for path in sorted(place.glob("job-*"), key=_number):
        taken = place / f"taken-{_number(path)}-{name}"
        try:
            path.rename(taken)
        except FileNotFoundError:
            continue  # another worker was faster
        return taken
    return None


def _number(path: Path) -> int:
    """Parse the job number of a file name: ``job-3``, ``taken-3-w0``, ``end--1`` -> 3, 3, -1."""
    words = path.name.partition("-")[2]
    return int(words.rpartition("-")[0] if path.name.startswith("taken-") else words)


def _put(path: Path, value: Any) -> None:
    write_atomically(path, lambda temporary: temporary.write_bytes(pickle.dumps(value)))


def _reason(worker: Any) -> str:
    """Describe why a SLURM worker was lost."""
    error = worker.exception()
    said = " ".join(str(error or "it ended").split())
    return f"job {worker.job_id}: {said if len(said) <= 300 else '... ' + said[-300:]}"
