"""The pool on a Ray cluster: one actor per slot, each with its share of CPUs and GPUs, replaced when it is lost.

Actors, not tasks, compute the cells, since an actor keeps its networks between cells. The compatibility of nodes
is checked when an actor starts (`node`).
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textedit_bench.bench.engines.connection import connect, first_line
from textedit_bench.bench.engines.node import cards_file, check_node, versions
from textedit_bench.bench.engines.worker import CellJob, End, Job, WorkerLost
from textedit_bench.bench.request import BenchRequest
from textedit_bench.errors import UserError

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between polls of the cluster while no job ends."""
PATIENCE = 300.0
"""Seconds without any worker before a job is given up; autoscaling clusters take minutes to add a node."""


@dataclass
class _Actor:
    handle: Any
    gpus: float
    there: Any
    """Fulfilled when the actor has started."""
    task: Any = None
    number: int = 0
    """Of the job under way."""
    job: Job | None = None

    def give(self, number: int, job: Job) -> None:
        """Start a job."""
        self.number, self.job, self.task = number, job, self.handle.run.remote(job)

    def take(self) -> tuple[int, Job]:
        """Return the current job and clear it."""
        assert self.job is not None
        had = self.number, self.job
        self.job = self.task = None
        return had


class Cluster:
    """Actors on the cluster that ``RAY_ADDRESS`` names, or on this machine alone.

    Jobs are queued here, in order, until there is room for an actor with the GPU fraction of their method:
    an actor that is requested from Ray too early would wait for resources held by idle ones.

    Args:
        setup: arguments of `Worker`.

    Raises:
        UserError: Ray is not installed, the cluster cannot be reached, or it cannot serve every kind of worker.
    """

    def __init__(self, setup: tuple[Any, ...]) -> None:
        request: BenchRequest = setup[0]
        self._setup, self._request = setup, request
        self._ray, self._ours = connect()
        self._actors: list[_Actor] = []
        self._queue: deque[tuple[int, Job]] = deque()
        self._mark = request.results / f".seen-{secrets.token_hex(6)}"
        request.results.mkdir(parents=True, exist_ok=True)
        self._mark.touch()
        for method in ("", *request.gpus):
            if self._fitting(self._gpus(method)) < 1:
                have = self._have()
                self.close()
                raise UserError(
                    f"ray: one worker{f' of {method}' if method else ''} needs {request.threads} CPUs and "
                    f"{self._gpus(method):g} GPUs; the cluster has {have['CPU']:g} CPUs and {have['GPU']:g} GPUs"
                )

    @property
    def slots(self) -> int:
        """Number of smallest workers that the cluster can run now, limited by the request's ``workers``."""
        fitting = max(1, self._fitting(min(self._gpus(method) for method in ("", *self._request.gpus))))
        return min(fitting, self._request.workers or fitting)

    def submit(self, number: int, job: Job) -> None:
        """Give a job to an actor with its method's GPU fraction, now or when there is room for one."""
        self._queue.append((number, job))
        self._place()

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job ended or its actor was lost."""
        began = time.monotonic()
        while True:
            self._place()
            busy = {each.task: each for each in self._busy()}
            ready = self._ray.wait(list(busy), num_returns=1, timeout=LOOK_EVERY)[0] if busy else []
            if ready:
                return [self._ended(busy[task]) for task in ready]
            if not busy:
                time.sleep(LOOK_EVERY)
            self._make_way()
            if time.monotonic() - began > PATIENCE and not any(self._started(each) for each in self._busy()):
                return [(self._give_up(), WorkerLost(f"no node had room for a worker for {PATIENCE:g} seconds"))]

    def close(self) -> None:
        """Stop the actors, and the cluster if it was started here."""
        for actor in list(self._actors):
            self._drop(actor)
        self._mark.unlink(missing_ok=True)
        cards_file(self._mark).unlink(missing_ok=True)
        if self._ours:
            self._ray.shutdown()

    def _place(self) -> None:
        """Start queued jobs while there is room, strictly in order, so that small ones never delay a large one."""
        while self._queue:
            number, job = self._queue[0]
            actor = self._actor(self._gpus(job.method if isinstance(job, CellJob) else ""))
            if actor is None:
                return
            self._queue.popleft()
            actor.give(number, job)

    def _actor(self, gpus: float) -> _Actor | None:
        """Return an idle actor with this share, or a new one that replaces idle others; None if there is no room."""
        idle = [each for each in self._actors if each.job is None]
        same = next((each for each in idle if each.gpus == gpus), None)
        while same is None and not self._room(gpus):
            if not idle:
                return None
            self._drop(idle.pop(0))
        return same or self._start(gpus)

    def _ended(self, actor: _Actor) -> tuple[int, End]:
        ray, task = self._ray, actor.task
        number, _ = actor.take()
        try:
            return number, ray.get(task)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            self._drop(actor)
            return number, WorkerLost(_reason(ray, error))

    def _make_way(self) -> None:
        """Free room for actors that cannot be placed although the cluster's total would suffice.

        When a node dies, Ray counts its resources for some more seconds; and a whole GPU is not available while
        fractions of it are free on several GPUs. An idle actor with the same share takes the job over; else idle
        actors are removed.
        """
        for waiting in [each for each in self._busy() if not self._started(each)]:
            idle = [each for each in self._actors if each.job is None]
            same = next((each for each in idle if each.gpus == waiting.gpus), None)
            if same is not None:
                same.give(*waiting.take())
                idle = [waiting]
            for each in idle:
                self._drop(each)

    def _give_up(self) -> int:
        """Take back the oldest job that has to wait, and return its number."""
        for waiting in self._busy():
            self._drop(waiting)
            return waiting.number
        return self._queue.popleft()[0]

    def _busy(self) -> list[_Actor]:
        return [each for each in self._actors if each.job is not None]

    def _started(self, actor: _Actor) -> bool:
        return bool(self._ray.wait([actor.there], timeout=0)[0])

    def _start(self, gpus: float) -> _Actor:
        actor = self._ray.remote(_Remote).options(
            num_cpus=self._request.threads, num_gpus=gpus, max_restarts=0, max_task_retries=0
        )
        handle = actor.remote(self._setup, str(self._mark), versions())
        made = _Actor(handle, gpus, handle.here.remote())
        self._actors.append(made)
        return made

    def _drop(self, actor: _Actor) -> None:
        self._actors.remove(actor)
        self._ray.kill(actor.handle)

    def _gpus(self, method: str) -> float:
        if not self._request.device.startswith("cuda"):
            return 0.0
        return self._request.gpus.get(method, self._request.gpus.get("", 1.0))

    def _room(self, gpus: float) -> bool:
        """Whether the cluster's total minus the actors' shares leaves room for one more actor."""
        if self._request.workers and len(self._actors) >= self._request.workers:
            return False
        have, held = self._have(), sum(_whole(each.gpus) for each in self._actors)
        enough = have["CPU"] >= self._request.threads * (len(self._actors) + 1)
        return enough and have["GPU"] >= held + _whole(gpus) - 1e-9

    def _fitting(self, gpus: float) -> int:
        """Return how many actors with this share the whole cluster can hold."""
        have = self._have()
        fitting = have["CPU"] / self._request.threads
        return math.floor(min(fitting, have["GPU"] / _whole(gpus) + 1e-9) if gpus else fitting)

    def _have(self) -> dict[str, float]:
        """Return the CPUs and GPUs of the whole cluster, free or in use."""
        return {"CPU": 0.0, "GPU": 0.0, **self._ray.cluster_resources()}


def _whole(gpus: float) -> float:
    """Return the share of a GPU that is actually occupied: two workers with 0.4 fill one, as none spans two GPUs."""
    return 1 / math.floor(1 / gpus + 1e-9) if 0 < gpus < 1 else gpus


class _Remote:
    """A worker on any node."""

    def __init__(self, setup: tuple[Any, ...], mark: str, versions: dict[str, Any]) -> None:
        self._setup, self._mark, self._versions = setup, Path(mark), versions
        self._worker: Any = None

    def here(self) -> bool:
        """Report that the worker has started."""
        return True

    def run(self, job: Job) -> End:
        """Compute a job.

        Raises:
            UserError: this node cannot serve the run.
        """
        if self._worker is None:
            check_node(self._mark, self._versions, self._setup[0].device)
            from textedit_bench.bench.engines.worker import Worker

            self._worker = Worker(*self._setup)
        ended: End = self._worker.run(job)
        return ended


def _reason(ray: Any, error: Exception) -> str:
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "its node ran out of memory"
    return first_line(error)
