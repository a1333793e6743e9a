"""Compute cells in one process, which keeps the networks of one data set at a time; the jobs and results of workers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.plan import DatasetPlan, MethodPlan, plan
from textedit_bench.bench.progress import CellOutcome, State
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import NotApplicableError, UserError, one_line
from textedit_bench.files import disk_is_full


@dataclass(frozen=True)
class CellJob:
    """One cell of a plan, by names.

    Attributes:
        dataset: name of the data set.
        method: name of the method; its GPU fraction determines where the job may run.
        prompt: id of the prompt.
        label: readable name of the cell.
        variant: of the method, see `MethodPlan.variant`.
        like: name of the method that a control is matched to; empty for all others.
        matched: the finished cell that a matched control copies.
        part: the only shard to compute; None computes all missing shards and merges them.
    """

    dataset: str
    method: str
    prompt: str
    label: str
    variant: str = ""
    like: str = ""
    matched: Cell | None = None
    part: int | None = None


@dataclass(frozen=True)
class DatasetJob:
    """Photos, inversions and reference features of a data set, which its cells need."""

    dataset: str

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.dataset


Job = CellJob | DatasetJob


@dataclass(frozen=True)
class CellResult:
    """The result of a cell.

    Attributes:
        outcome: for the summary.
        cell: where its scores are stored; None if there are none.
        refused: the error is bad input that only the method could detect.
        full: the disk is full.
    """

    outcome: CellOutcome
    cell: Cell | None = None
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class DatasetEnd:
    """The result of preparing a data set.

    Attributes:
        protocols: metric name -> protocol, as scored now.
        seconds: estimate of the remaining work, without that of the methods.
        shards: number of parts into which each of its cells may be split.
        error: why it could not be prepared.
        refused: whether the error is bad input.
        full: the disk is full.
    """

    protocols: Mapping[str, Mapping[str, Any]]
    seconds: float = 0.0
    shards: int = 1
    error: str = ""
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class WorkerLost:
    """The worker of the job was lost; only the store knows its results."""

    reason: str


End = CellResult | DatasetEnd | WorkerLost


class Pool(Protocol):
    """Runs jobs, at most ``slots`` at a time."""

    @property
    def slots(self) -> int:
        """Number of jobs that may run now; may change while a cluster grows."""
        ...

    def submit(self, number: int, job: Job) -> None:
        """Start a job; called only while fewer than ``slots`` jobs are running."""
        ...

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job has ended, and return the results."""
        ...

    def close(self) -> None:
        """Release all resources; running jobs are abandoned."""
        ...


def cell_jobs(plan: DatasetPlan) -> list[CellJob]:
    """List every cell of a data set in running order."""
    return [
        CellJob(
            plan.card.name,
            method.info.name,
            prompt.id,
            plan.label(method, prompt, matched_method),
            method.variant,
            matched_method.info.name if matched_method is not None else "",
        )
        for method, matched_method in plan.rows
        for prompt in plan.prompts
    ]


Source = tuple[str, str]
"""Method and prompt id of a cell that another one copies."""


def source_of(
    plan: DatasetPlan, method: MethodPlan, prompt: PlannedPrompt, matched_method: MethodPlan | None
) -> Source | None:
    """Return the cell that has to be finished first; None if the cell copies nothing.

    Raises:
        NotApplicableError: such a cell cannot exist.
    """
    if matched_method is None:
        return None
    source = plan.source_prompt(method, prompt)
    if source is None:
        raise NotApplicableError("no other prompt of the same set (trained or unseen) asks for another attribute")
    return matched_method.info.name, source.id


log = logging.getLogger(__name__)


class Worker:
    """Runs jobs one after the other.

    Args:
        request: the request.
        open_session: opens the session that computes a data set's cells.
        open_store: opens the store of the cells.
        plans: of the request, if already known.

    Raises:
        UserError: the request cannot be fulfilled on this machine.
    """

    def __init__(
        self,
        request: BenchRequest,
        open_session: type[DatasetSession] = DatasetSession,
        open_store: type[Store] = Store,
        plans: list[DatasetPlan] | None = None,
    ) -> None:
        self._request, self._open_session = request, open_session
        self._store = open_store(request.results)
        self._plans = {asked.card.name: asked for asked in (plan(request) if plans is None else plans)}
        self._session: DatasetSession | None = None

    def run(self, job: Job) -> End:
        """Compute a job; every error except an interruption becomes part of the result."""
        return self._prepare(job) if isinstance(job, DatasetJob) else self._cell(job)

    def _prepare(self, job: DatasetJob) -> DatasetEnd:
        try:
            session = self._open(job.dataset)
            return DatasetEnd(session.protocols, session.estimate(session.count_todo()), session.shard_count)
        except Exception as error:
            refused = error if isinstance(error, UserError) else None
            if refused is None and not disk_is_full(error):
                log.exception("%s could not be prepared", job.label)
            reason = one_line(error)
            return DatasetEnd({}, error=reason, refused=refused, full=disk_is_full(error))

    def _cell(self, job: CellJob) -> CellResult:
        cell: Cell | None = None
        try:
            session = self._open(job.dataset)
            method, _ = session.plan.row(job.method, job.variant, job.like)
            cell = session.cell(method, session.plan.prompt(job.prompt), job.matched)
            state, seconds = session.run(cell, method, job.part)
        except NotApplicableError as error:
            return CellResult(CellOutcome(job.label, cell.digest if cell else "", State.NOT_APPLICABLE, str(error)))
        except Exception as error:
            return self._failed(job, cell, error)
        # A single part leaves the cell without scores, unless the whole cell was cached.
        there = cell if job.part is None or state is State.CACHED else None
        return CellResult(CellOutcome(job.label, cell.digest, state, seconds=seconds), there)

    def _failed(self, job: CellJob, cell: Cell | None, error: Exception) -> CellResult:
        """Store the traceback if it can still be written."""
        text = traceback.format_exc()
        last = text.strip().splitlines()[-1]
        state = State.OUT_OF_MEMORY if _is_out_of_memory(text) else State.FAILED
        failure = None
        if cell is not None:
            facts = {"state": state.value, "label": job.label, "identity": cell.identity(), "traceback": text}
            try:
                failure = self._store.cell(cell).fail(facts)
            except OSError as unwritten:
                log.warning("%s: its traceback could not be kept (%s)", job.label, unwritten)
        outcome = CellOutcome(job.label, cell.digest if cell else "", state, one_line(last), failure=failure)
        return CellResult(outcome, None, error if isinstance(error, UserError) else None, disk_is_full(error))

    def _open(self, dataset: str) -> DatasetSession:
        """Open the session of a data set; the previous one is closed first, since networks are large."""
        from textedit_bench.domain import Domain
        from textedit_bench.metrics.suite import Suite

        wanted = self._plans[dataset]
        if self._session is None or self._session.plan is not wanted:
            self._session = None
            domain = Domain(wanted.card, wanted.tier, self._request.device, self._request.precision)
            self._session = self._open_session(wanted, self._store, domain, Suite(domain))
        return self._session


class OwnProcess:
    """Pool of one: computes in this process during `wait`."""

    slots = 1

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: list[tuple[int, Job]] = []

    def submit(self, number: int, job: Job) -> None:
        """Queue a job."""
        self._jobs.append((number, job))

    def wait(self) -> list[tuple[int, End]]:
        """Compute the next job."""
        number, job = self._jobs.pop(0)
        return [(number, self._worker.run(job))]

    def close(self) -> None:
        """Do nothing: there are no resources to release."""


def _is_out_of_memory(text: str) -> bool:
    """Whether a traceback ends in one of the errors for exhausted memory."""
    last = text.strip().splitlines()[-1]
    return last.startswith("MemoryError") or "OutOfMemoryError" in last or "can't allocate memory" in last
