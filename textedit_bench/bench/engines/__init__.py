"""Compute cells: in this process, in processes of this machine, on Ray or on SLURM.

Every engine runs the same jobs of the same plan and writes to the same store. A job only names its cell; each worker
derives the plan from the request, so only names and results are transferred.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from textedit_bench.bench.engines.worker import OwnProcess, Pool, Worker
from textedit_bench.bench.plan import DatasetPlan
from textedit_bench.bench.request import ENGINES, BenchRequest
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.devices import checked_device, cuda_cards

WORTH_WORKERS = 15_000
"""Pictures to edit from which on several workers finish sooner: each takes seconds to start. The quick bench of one
method is just above: 58 s with two workers of two cores, 64 s in one process."""
WORKER_BYTES = {"mini": 2 << 30, "full": 12 << 30}
"""What a worker of engine ``auto`` may need, by tier; half of the machine's memory is left to others."""


def open_pool(
    request: BenchRequest, plans: list[DatasetPlan], open_session: type[DatasetSession], open_store: type[Store]
) -> Pool:
    """Open the pool of the engine that the request names.

    Raises:
        UserError: a dependency of the engine is not installed, or its cluster cannot be reached.
    """
    if request.engine == "auto":
        workers = _worthwhile(request, plans, open_store(request.results))
        engine, workers = ("processes", workers) if workers > 1 else ("local", 0)
        request = replace(request, engine=engine, workers=workers)
    if request.engine == "local":
        return OwnProcess(Worker(request, open_session, open_store, plans))
    setup = (_from_anywhere(request), open_session, open_store)
    if request.engine == "processes":
        from textedit_bench.bench.engines.processes import Processes

        return Processes([(each, open_session, open_store) for each in _dealt(setup[0])])
    if request.engine == "slurm":
        from textedit_bench.bench.engines.slurm import Slurm

        return Slurm(setup)
    from textedit_bench.bench.engines.cluster import Cluster

    return Cluster(setup)


def cards_of(request: BenchRequest) -> list[str]:
    """Return the devices of this machine that the request names.

    Raises:
        UserError: the machine does not have one of them.
    """
    if request.devices:
        return [str(checked_device(f"cuda:{index}")) for index in request.devices]
    device = checked_device(request.device)
    return cuda_cards() if device.type == "cuda" and device.index is None else [str(device)]


def _dealt(request: BenchRequest) -> list[BenchRequest]:
    """Return one request per worker: one worker per GPU, whose memory holds one; as many as fit on the CPU."""
    if not request.device.startswith("cuda"):
        return [request] * (request.workers or _fitting(request))
    cards = cards_of(request)
    return [replace(request, device=card, devices=()) for card in cards[: request.workers or None]]


def _fitting(request: BenchRequest) -> int:
    """Return how many workers this machine's CPUs can serve with the request's number of threads each."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)) // request.threads)
    return max(1, (os.cpu_count() or 1) // request.threads)


def _worthwhile(request: BenchRequest, plans: list[DatasetPlan], store: Store) -> int:
    """Return the number of workers with which this machine finishes soonest; 1 for this process alone."""
    if request.workers:
        return request.workers
    if request.device != "cpu":
        return 1
    pictures = sum(
        max(0, plan.cell_count - store.count(plan.tier, plan.card.name)) * plan.images * len(request.strengths)
        for plan in plans
    )
    if pictures < WORTH_WORKERS:
        return 1
    memory = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else WORKER_BYTES["full"]
    )
    return max(1, min(_fitting(request), memory // 2 // max(WORKER_BYTES[plan.tier] for plan in plans)))


def _from_anywhere(request: BenchRequest) -> BenchRequest:
    """Return the request with absolute paths, since a worker may start in another folder."""

    def absolute(text: str) -> str:
        return str(Path(text).resolve()) if text and Path(text).exists() else text

    # A registered name takes precedence over a folder of the same name.
    cards = tuple(absolute(name) if name.endswith((".yaml", ".yml")) else name for name in request.datasets)
    source = request.source if request.source == "samples" else absolute(request.source)
    return replace(request, results=request.results.resolve(), datasets=cards, source=source)


__all__ = ["ENGINES", "cards_of", "open_pool"]
