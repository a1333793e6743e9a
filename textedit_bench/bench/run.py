"""Run a bench from request to stored scores."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.engines import cards_of, open_pool
from textedit_bench.bench.engines.schedule import Schedule
from textedit_bench.bench.outcome import BenchSummary, CellOutcome, State
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import Reporter
from textedit_bench.bench.request import REMOTE, BenchRequest
from textedit_bench.bench.session import DatasetSession, ScoredDataset
from textedit_bench.bench.store import Store

__all__ = ["BenchRun", "run_cells"]


@dataclass(frozen=True)
class BenchRun:
    """The results of a run, for the writers of tables."""

    summary: BenchSummary
    store: Store
    cells: tuple[Cell, ...]
    """Cells with stored scores."""
    benched: tuple[ScoredDataset, ...]
    began: float

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped before its end."""
        return State.INTERRUPTED in self.summary.counts

    def seconds(self) -> float:
        """Seconds since the start of the run."""
        return time.monotonic() - self.began


def run_cells(
    request: BenchRequest,
    reporter: Reporter,
    *,
    open_session: type[DatasetSession] = DatasetSession,
    open_store: type[Store] = Store,
) -> BenchRun:
    """Plan, edit and score; writes no table. The reporter is not closed.

    Args:
        request: the request.
        reporter: receives progress.
        open_session: opens the session that computes a data set's cells, depending on the task.
        open_store: opens the store of the cells, depending on the task.

    Raises:
        UserError: the request cannot be fulfilled; no edit was computed.
    """
    plans = plan(request)
    if request.engine not in REMOTE:  # with this engine the workers use the devices
        cards_of(request)
    store = open_store(request.results)
    store.check_writable()
    began = time.monotonic()
    outcomes: list[CellOutcome] = []
    pool = open_pool(request, plans, open_session, open_store)
    schedule = Schedule(plans, pool, reporter)
    try:
        schedule.run()
        outcomes = schedule.outcomes
    except KeyboardInterrupt:
        outcomes = [*schedule.outcomes, CellOutcome("bench", "", State.INTERRUPTED, "stopped between cells")]
    finally:
        pool.close()
    benched = tuple(ScoredDataset(p, schedule.prepared[p.card.name]) for p in plans if p.card.name in schedule.prepared)
    summary = BenchSummary(tuple(outcomes), time.monotonic() - began)
    return BenchRun(summary, store, tuple(schedule.cells), benched, began)
