"""The pool of local processes: new interpreters that communicate through pipes, replaced when they die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from textedit_bench.bench.engines.worker import End, Job, WorkerLost

log = logging.getLogger(__name__)
Setup = tuple[Any, ...]
"""Arguments of `Worker`."""


@dataclass
class _Process:
    process: SpawnProcess
    pipe: Connection
    setup: Setup
    number: int | None = None
    """Of the job under way."""


class Processes:
    """Up to one process per setup, started on demand and restarted when it dies.

    Processes are spawned, not forked: a fork of a process that has used several threads may deadlock.
    """

    def __init__(self, setups: Sequence[Setup]) -> None:
        self.slots = len(setups)
        self._free = list(setups)
        self._processes: list[_Process] = []
        self._context = multiprocessing.get_context("spawn")

    def submit(self, number: int, job: Job) -> None:
        """Give a job to an idle process."""
        idle = next((each for each in self._processes if each.number is None), None) or self._start()
        idle.number = number
        with suppress(OSError):  # the process died meanwhile; `wait` reports it
            idle.pipe.send(job)

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job ended or its process died."""
        busy = [each for each in self._processes if each.number is not None]
        ready = wait([each.pipe for each in busy])
        ended: list[tuple[int, End]] = []
        for each in busy:
            if each.pipe not in ready:
                continue
            assert each.number is not None
            try:
                end = each.pipe.recv()
            except (EOFError, OSError):
                ended.append((each.number, self._gone(each)))
                continue
            if isinstance(end, BaseException):
                raise end
            ended.append((each.number, end))
            each.number = None
        return ended

    def close(self) -> None:
        """Kill every process at once; the store remains consistent."""
        for each in self._processes:
            each.process.kill()
        for each in self._processes:
            each.process.join()
            each.pipe.close()
        self._processes = []

    def pids(self) -> list[int]:
        """Process ids of running workers."""
        return [each.process.pid for each in self._processes if each.process.pid is not None]

    def _start(self) -> _Process:
        ours, theirs = self._context.Pipe()
        setup = self._free.pop(0)
        process = self._context.Process(target=_work, args=(theirs, setup), name="textedit-bench worker")
        process.start()
        theirs.close()  # else the pipe would stay open after the end of the process
        started = _Process(process, ours, setup)
        self._processes.append(started)
        return started

    def _gone(self, each: _Process) -> WorkerLost:
        each.process.join()
        each.pipe.close()
        self._processes.remove(each)
        self._free.append(each.setup)
        code = each.process.exitcode or 0
        if code == -signal.SIGKILL:
            return WorkerLost("killed by signal 9, as the system does where memory runs out")
        return WorkerLost(f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}")


def _work(pipe: Connection, setup: Setup, make: Callable[..., Any] | None = None) -> None:
    """Run jobs until the other end of the pipe is closed, which its death does too."""
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
        signal.signal(number, signal.SIG_IGN)  # the signals reach the whole process group; the parent handles them
    logging.getLogger("textedit_bench").addHandler(logging.StreamHandler())
    from textedit_bench.bench.engines.worker import Worker

    try:
        worker = (make or Worker)(*setup)
    except Exception as error:
        with suppress(EOFError, OSError):
            pipe.recv()
            pipe.send(error)
        return
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        pipe.send(worker.run(job))
