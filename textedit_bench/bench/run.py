"""Run a bench from request to stored scores."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textedit_bench.assets.locate import lacks_weights, not_trained
from textedit_bench.bench.cell import Cell
from textedit_bench.bench.engines import cards_of, open_pool
from textedit_bench.bench.engines.schedule import Schedule
from textedit_bench.bench.plan import DatasetPlan, plan
from textedit_bench.bench.progress import BenchSummary, CellOutcome, Reporter, State
from textedit_bench.bench.request import REMOTE, BenchRequest
from textedit_bench.bench.session import DatasetSession, ScoredDataset
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.registry import new_editor

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
        UserError: the request cannot be fulfilled, or no method is trained; no edit was computed.
    """
    plans = plan(request)
    _refuse_untrained(plans, open_session)
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


def _refuse_untrained(plans: list[DatasetPlan], open_session: type[DatasetSession]) -> None:
    """Refuse a request of methods that all lack their weights: only controls would run.

    Raises:
        UserError: names the command that trains each, at most three of them.
    """
    from textedit_bench.domain import Domain

    untrained = []
    for asked in plans:
        domain = Domain(asked.card, asked.tier)
        for method in asked.methods:
            if method.info.control or open_session.reason(asked, method):
                continue
            if method.info.trains == "none":
                return
            try:
                editor = new_editor(method.info.name, domain, **method.settings)
                if not lacks_weights(editor):
                    return
                if any(editor.refusal(prompt.prompt.without_truth) is None for prompt in asked.prompts):
                    untrained.append(editor)
            except Exception:  # a third-party method may raise anything; its cells report it
                return
    if untrained:
        raise UserError("; ".join(str(not_trained(editor)) for editor in untrained[:3]))
