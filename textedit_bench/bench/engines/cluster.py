"""The pool on a Ray cluster: one actor per slot, each with its share of CPUs and GPUs, replaced when it is lost.

Actors and not bare tasks compute the cells, since an actor keeps its networks between cells. All nodes need the same
versions of the packages, and the results folder under the same path; both are checked when an actor starts.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textedit_bench.bench.engines.job import CellJob, End, Job, Lost
from textedit_bench.bench.environment import environment
from textedit_bench.bench.request import BenchRequest
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between looks at a cluster on which nothing ends."""
SAME = ("textedit_bench", "python")
"""Entries of the environment that all nodes must share, beside the versions of the packages."""


@dataclass
class _Actor:
    handle: Any
    gpus: float
    there: Any
    """Fulfilled when the actor has started."""
    number: int | None = None
    task: Any = None


class Cluster:
    """Actors on the cluster that ``RAY_ADDRESS`` names, or on this machine alone.

    Args:
        setup: arguments of `Worker`.

    Raises:
        UserError: Ray is not installed, the cluster cannot be reached, or it cannot serve a single worker.
    """

    def __init__(self, setup: tuple[Any, ...]) -> None:
        request: BenchRequest = setup[0]
        self._setup, self._request = setup, request
        self._ray, self._ours = connect()
        self._actors: list[_Actor] = []
        self._mark = request.results / f".seen-{secrets.token_hex(6)}"
        request.results.mkdir(parents=True, exist_ok=True)
        self._mark.touch()
        needed = self._gpus("")
        if self._fitting() < 1:
            self.close()
            have = self._has_resources()
            raise UserError(f"ray: one worker needs {request.threads} CPUs and {needed:g} GPUs; the cluster has {have}")

    @property
    def slots(self) -> int:
        """What the cluster can serve now, at most ``workers`` where the request says so."""
        fitting = max(1, self._fitting())
        return min(fitting, self._request.workers) if self._request.workers else fitting

    def submit(self, number: int, job: Job) -> None:
        """Give a job to an idle actor with the share of a GPU that its method needs."""
        gpus = self._gpus(job.method if isinstance(job, CellJob) else "")
        idle = [each for each in self._actors if each.number is None]
        actor = next((each for each in idle if each.gpus == gpus), None)
        if actor is None:
            if idle and len(self._actors) >= self.slots:
                self._drop(idle[0])
            actor = self._start(gpus)
        actor.number, actor.task = number, actor.handle.run.remote(job)

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job ended or its actor was lost."""
        ray = self._ray
        busy = {each.task: each for each in self._actors if each.number is not None}
        while True:
            ready, _ = ray.wait(list(busy), num_returns=1, timeout=LOOK_EVERY)
            if ready:
                break
            homeless = self._homeless()
            if homeless is not None and homeless.number is not None:
                self._drop(homeless)
                return [(homeless.number, Lost("the cluster shrank, and there is no room for it"))]
        ended: list[tuple[int, End]] = []
        for task in ready:
            actor = busy[task]
            number = actor.number
            assert number is not None
            actor.number = actor.task = None
            try:
                end = ray.get(task)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayError as error:
                self._drop(actor)
                end = Lost(_reason(ray, error))
            ended.append((number, end))
        return ended

    def close(self) -> None:
        """Let the actors go, and the cluster where it was started here."""
        for actor in list(self._actors):
            self._drop(actor)
        self._mark.unlink(missing_ok=True)
        if self._ours:
            self._ray.shutdown()

    def _start(self, gpus: float) -> _Actor:
        actor = self._ray.remote(_Remote).options(
            num_cpus=self._request.threads, num_gpus=gpus, max_restarts=0, max_task_retries=0
        )
        handle = actor.remote(self._setup, str(self._mark), _versions())
        made = _Actor(handle, gpus, handle.here.remote())
        self._actors.append(made)
        return made

    def _homeless(self) -> _Actor | None:
        """An actor with a job that never started, while others hold all there is.

        When a node dies, what it had counts for some seconds more; an actor made meanwhile would wait for ever for the
        CPU that an idle one holds.
        """
        if len(self._actors) <= max(1, self._fitting()):
            return None
        waiting = [each for each in self._actors if each.number is not None]
        return next((each for each in waiting if not self._ray.wait([each.there], timeout=0)[0]), None)

    def _drop(self, actor: _Actor) -> None:
        self._actors.remove(actor)
        self._ray.kill(actor.handle)

    def _gpus(self, method: str) -> float:
        if not self._request.device.startswith("cuda"):
            return 0.0
        return self._request.gpus.get(method, self._request.gpus.get("", 1.0))

    def _fitting(self) -> int:
        have: dict[str, float] = self._ray.cluster_resources()
        fitting = have.get("CPU", 0.0) / self._request.threads
        gpus = self._gpus("")
        return math.floor(min(fitting, have.get("GPU", 0.0) / gpus) if gpus else fitting)

    def _has_resources(self) -> str:
        have: dict[str, float] = self._ray.cluster_resources() if self._ray.is_initialized() else {}
        return f"{have.get('CPU', 0):g} CPUs and {have.get('GPU', 0):g} GPUs"


class _Remote:
    """A worker on some node."""

    def __init__(self, setup: tuple[Any, ...], mark: str, versions: dict[str, Any]) -> None:
        self._setup, self._mark, self._versions = setup, Path(mark), versions
        self._worker: Any = None

    def here(self) -> bool:
        """Whether it has started: it answers."""
        return True

    def run(self, job: Job) -> End:
        """Compute a job.

        Raises:
            UserError: this node cannot serve the run.
        """
        if self._worker is None:
            self._check()
            from textedit_bench.bench.engines.worker import Worker

            self._worker = Worker(*self._setup)
        ended: End = self._worker.run(job)
        return ended

    def _check(self) -> None:
        here = os.uname().nodename
        there = self._versions
        other = [f"{name} {there[name]} asks, {own} answers" for name, own in _versions().items() if there[name] != own]
        if other:
            raise UserError(f"ray: node {here} has other versions: {'; '.join(other)}")
        for _ in range(20):  # network file systems show new files late
            if self._mark.exists():
                return
            time.sleep(0.5)
        raise UserError(f"results: node {here} does not see {self._mark.parent}; valid: a folder that all nodes share")


def connect() -> tuple[Any, bool]:
    """Ray, connected to a cluster, and whether that cluster was started here.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached.
    """
    with needs_extra("ray", "engine ray"):
        import ray
    if ray.is_initialized():
        return ray, False
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        ray.init(address=address or "local", include_dashboard=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        where = f"the cluster at RAY_ADDRESS={address!r}" if address else "a cluster on this machine"
        raise UserError(
            f"ray: {where} cannot be reached ({_first(error)}); start one with: ray start --head"
        ) from error
    return ray, True


def _versions() -> dict[str, Any]:
    known = environment()
    return {**{name: known[name] for name in SAME}, **known["packages"]}


def _reason(ray: Any, error: Exception) -> str:
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "its node ran out of memory"
    return _first(error)


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return " ".join((lines[0] if lines else type(error).__name__).split())[:200]
