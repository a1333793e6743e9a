"""A Ray that only counts: actors start as there is room on cards and CPUs, and jobs end in an order of your choice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any


class _Actor:
    """Started once a card has room for its share; then each of its jobs may end at any time."""

    def __init__(self, ray: ToyRay, share: float, cpus: int) -> None:
        self.share, self.cpus, self.cards, self.started = share, cpus, [], False
        numbers = itertools.count()
        self.here = SimpleNamespace(remote=lambda: ("here", self, -1))
        self.run = SimpleNamespace(remote=lambda job: ("run", self, next(numbers)))
        ray.actors.append(self)


class ToyRay:
    """What `Cluster` asks of the module ``ray``.

    Args:
        gpus: cards of the cluster.
        cpus: processors of the cluster.
        choose: which of the jobs that can end does, by position; the first where None.
        patience: looks without an end after which it raises.
    """

    def __init__(
        self, gpus: int = 0, cpus: int = 64, choose: Callable[[int], int] | None = None, patience: int = 50
    ) -> None:
        self.free, self.cpus, self.told = [1.0] * gpus, cpus, cpus
        self.actors: list[_Actor] = []
        self.choose, self.patience, self.looks = choose or (lambda count: 0), patience, 0
        self.exceptions = SimpleNamespace(RayTaskError=KeyError, RayError=OSError, OutOfMemoryError=MemoryError)

    def remote(self, _class: type) -> Any:
        def options(num_cpus: int, num_gpus: float, **_: Any) -> Any:
            return SimpleNamespace(remote=lambda *_: _Actor(self, num_gpus, num_cpus))

        return SimpleNamespace(options=options)

    def _start(self) -> None:
        for actor in self.actors:
            busy = sum(each.cpus for each in self.actors if each.started)
            if actor.started or busy + actor.cpus > self.cpus:
                continue
            wanted = [1.0] * int(actor.share) if actor.share >= 1 else [actor.share] * (actor.share > 0)
            fitting = [card for card, free in enumerate(self.free) if wanted and free >= wanted[0] - 1e-9]
            if len(fitting) >= len(wanted):
                actor.started, actor.cards = True, list(zip(fitting, wanted, strict=False))
                for card, share in actor.cards:
                    self.free[card] -= share

    def wait(self, tasks: Sequence[Any], num_returns: int = 1, timeout: float | None = None) -> Any:
        assert tasks and len(set(tasks)) == len(tasks)
        self._start()
        ready = [task for task in tasks if task[1].started]
        if ready:
            ready = [ready[self.choose(len(ready))]]
        if tasks[0][0] == "run":
            self.looks = 0 if ready else self.looks + 1
            assert self.looks <= self.patience, "the pool waits for ever"
        return ready, [task for task in tasks if task not in ready]

    def get(self, task: Any) -> str:
        return "an end"

    def kill(self, actor: _Actor) -> None:
        self.actors.remove(actor)
        for card, share in actor.cards:
            self.free[card] += share

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.told), **({"GPU": float(len(self.free))} if self.free else {})}

    def shutdown(self) -> None:
        pass
