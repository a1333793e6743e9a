"""Schedule a bench: data sets one after the other, each cell as soon as the cell that it copies is finished."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.engines.worker import (
    CellJob,
    CellResult,
    DatasetEnd,
    DatasetJob,
    End,
    Pool,
    Source,
    WorkerLost,
    cell_jobs,
    source_of,
)
from textedit_bench.bench.plan import DatasetPlan
from textedit_bench.bench.progress import CellOutcome, Reporter, State, duration
from textedit_bench.errors import NotApplicableError

log = logging.getLogger(__name__)

RETRIES = 5
"""How often a job is submitted again after the loss of its worker; limited, since a job may kill every worker."""

_ENDED = (State.DONE, State.CACHED, State.FAILED, State.OUT_OF_MEMORY)


@dataclass
class _Cut:
    """A cell whose shards are computed separately, and merged by a last job.

    Attributes:
        job: of the whole cell.
        left: shards that wait for a slot. The first one is computed alone, since it creates what a prompt needs once
            (its network).
        under_way: shards being computed.
        count: of the cell's shards.
    """

    job: CellJob
    count: int
    left: list[int] = field(default_factory=lambda: [0])
    under_way: set[int] = field(default_factory=set)


@dataclass
class Schedule:
    """Submits the cells of plans to a pool and collects their results.

    Attributes:
        outcomes: results in plan order, available after `run`.
        cells: those with stored scores, in plan order.
        prepared: data set -> metric protocols.
        lost: number of jobs that were submitted again because their worker was lost.
    """

    plans: list[DatasetPlan]
    pool: Pool
    reporter: Reporter
    outcomes: list[CellOutcome] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    prepared: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    lost: int = 0

    def __post_init__(self) -> None:
        self._jobs: list[CellJob] = []
        self._sources: list[Source | None] = []
        self._ends: dict[int, tuple[CellOutcome, Cell | None]] = {}
        self._finished: dict[Source, Cell] = {}
        self._losses: dict[int, int] = {}
        self._under_way: set[int] = set()
        self._cuts: dict[int, _Cut] = {}
        self._parts: dict[int, tuple[int, int]] = {}
        self._tickets = itertools.count(-2, -1)  # numbers of shards; -1 is the preparation's
        self._shards = 1

    def run(self) -> None:
        """Run every cell to completion.

        After an interruption the remaining cells end as interrupted, after a full disk as failed.

        Raises:
            UserError: the first job showed that the request cannot be fulfilled.
        """
        self.reporter.begin(sum(plan.cell_count for plan in self.plans))
        stopped: tuple[State, str] | None = None
        for plan in self.plans:
            try:
                if stopped is None:
                    stopped = self._dataset(plan)
                else:
                    self._take(plan)
            except KeyboardInterrupt:
                stopped = State.INTERRUPTED, "not started"
                if not self._jobs:  # the interruption came between two data sets
                    self._take(plan)
                self._end_under_way(stopped[0])
            if stopped is not None:
                self._end_rest(*stopped)
            self._collect()

    def _take(self, plan: DatasetPlan) -> None:
        """Make the jobs of a data set the current ones."""
        self._jobs, self._ends, self._losses = cell_jobs(plan), {}, {}
        self._finished, self._under_way, self._sources = {}, set(), []
        self._cuts, self._parts = {}, {}
        for job in self._jobs:
            self._sources.append(self._source(plan, job))

    def _source(self, plan: DatasetPlan, job: CellJob) -> Source | None:
        method, matched_method = plan.row(job.method, job.variant, job.like)
        try:
            return source_of(plan, method, plan.prompt(job.prompt), matched_method)
        except NotApplicableError as error:
            self._ends[len(self._sources)] = CellOutcome(job.label, "", State.NOT_APPLICABLE, str(error)), None
            return None

    def _dataset(self, plan: DatasetPlan) -> tuple[State, str] | None:
        """Run all cells of one data set; return a reason to stop the bench, if any."""
        self._take(plan)
        self.reporter.note(_announce(plan))
        try:
            prepared = self._prepare(plan.card.name)
        except KeyboardInterrupt:
            self._end_rest(State.INTERRUPTED, "stopped while photos were inverted")
            return State.INTERRUPTED, "not started"
        if prepared.error:
            if prepared.refused is not None and not self.outcomes:
                raise prepared.refused
            self._end_rest(State.FAILED, f"{plan.card.name} could not be prepared: {prepared.error}")
            return (State.FAILED, "not started: the disk is full") if prepared.full else None
        self.prepared[plan.card.name] = prepared.protocols
        self._shards = prepared.shards
        if prepared.seconds:
            about = duration(prepared.seconds / self.pool.slots)
            self.reporter.note(f"estimate: about {about} for {plan.card.name}, not counting the method itself")
        for number, (outcome, _) in sorted(self._ends.items()):  # cells that the plan marks as not applicable
            self._end(number, outcome)
        return self._cells(plan)

    def _prepare(self, name: str) -> DatasetEnd:
        reason = ""
        for _ in range(RETRIES + 1):
            self.pool.submit(-1, DatasetJob(name))
            _, end = self.pool.wait()[0]
            if isinstance(end, DatasetEnd):
                return end
            assert isinstance(end, WorkerLost)
            reason = end.reason
            self._note_loss(f"the preparation of {name}", end)
        return DatasetEnd({}, error=f"its worker was lost {RETRIES + 1} times: {reason}")

    def _cells(self, plan: DatasetPlan) -> tuple[State, str] | None:
        waiting = [number for number in range(len(self._jobs)) if number not in self._ends]
        alone = len(plan.request.methods) == 1
        while waiting or self._busy or self._cuts:
            self._submit_parts()
            waiting = self._submit(waiting)
            if not self._busy:
                continue  # all remaining cells copy cells that do not exist
            for number, end in self.pool.wait():
                if number in self._parts:
                    whole = self._end_part(*self._parts.pop(number), end)
                    if whole is None:
                        continue
                    number, end = whole
                self._under_way.discard(number)
                if isinstance(end, WorkerLost):
                    failed = self._lost(number, self._jobs[number].label, end)
                    if failed is None:
                        waiting.append(number)
                        continue
                    end = failed
                assert isinstance(end, CellResult)
                if end.refused and alone and not any(o.state in _ENDED for o in self._all_outcomes()):
                    raise end.refused  # bad input that only the method could detect; there is no other cell
                self._end(number, end.outcome, end.cell)
                if end.full:
                    return State.FAILED, "not started: the disk is full"
        return None

    def _submit(self, waiting: list[int]) -> list[int]:
        """Submit the jobs that can start; return those that have to wait.

        The first cell of a method makes what all need (components, boundaries, features of photos), so a second
        worker begins another method meanwhile, if there is one.
        """
        left = self._submit_some(waiting, spare=True)
        return self._submit_some(left, spare=False) if self._busy < self.pool.slots else left

    def _submit_some(self, waiting: list[int], spare: bool) -> list[int]:
        left, beginning = [], self._beginning()
        pending = set(waiting) | self._under_way | set(self._cuts)
        for number in waiting:
            job, source = self._jobs[number], self._sources[number]
            cell = self._finished.get(source) if source else None
            if source and cell is None:
                if any(self._makes(other) == source for other in pending):
                    left.append(number)
                else:
                    reason = f"there is no finished cell of {source[0]} to match"
                    self._end(number, CellOutcome(job.label, "", State.NOT_APPLICABLE, reason))
                continue
            if self._busy >= self.pool.slots or (spare and job.method in beginning):
                left.append(number)
                continue
            self.reporter.working(job.label)
            if self._shards > 1 and self.pool.slots > 1:
                self._cuts[number] = _Cut(replace(job, matched=cell), self._shards)
                self._submit_parts()
            else:
                self._under_way.add(number)
                self.pool.submit(number, replace(job, matched=cell))
            beginning = self._beginning()
        return left

    def _beginning(self) -> set[str]:
        """Methods with a cell under way and none that has ended."""
        under_way = {self._jobs[number].method for number in (*self._under_way, *self._cuts)}
        return under_way - {self._jobs[number].method for number in self._ends}

    @property
    def _busy(self) -> int:
        return len(self._under_way) + len(self._parts)

    def _submit_parts(self) -> None:
        """Submit shards of cells that were begun, before any other cell."""
        for number, cut in self._cuts.items():
            while cut.left and self._busy < self.pool.slots:
                part = cut.left.pop(0)
                cut.under_way.add(part)
                ticket = next(self._tickets)
                self._parts[ticket] = number, part
                self.pool.submit(ticket, replace(cut.job, part=part))

    def _end_part(self, number: int, part: int, end: End) -> tuple[int, End] | None:
        """Record a shard's result; return that of the whole cell if it is complete."""
        cut = self._cuts.get(number)
        if cut is None:
            return None  # the cell has ended meanwhile, for another reason
        cut.under_way.discard(part)
        if isinstance(end, WorkerLost):
            failed = self._lost(number, f"{cut.job.label}, part {part + 1} of {cut.count}", end)
            if failed is None:
                cut.left.insert(0, part)
                return None
            end = failed
        assert isinstance(end, CellResult)
        if end.outcome.state is not State.DONE:
            del self._cuts[number]
            return number, end
        if part == 0:
            cut.left += range(1, cut.count)
        if not cut.left and not cut.under_way:
            del self._cuts[number]
            self._under_way.add(number)
            self.pool.submit(number, cut.job)
        return None

    def _makes(self, number: int) -> Source | None:
        """Return what other cells may copy from a job's cell."""
        job = self._jobs[number]
        return None if job.like or job.variant else (job.method, job.prompt)

    def _lost(self, number: int, label: str, end: WorkerLost) -> CellResult | None:
        """Count the loss of a cell's worker; return the cell's failure if there were too many."""
        self._losses[number] = self._losses.get(number, 0) + 1
        if self._losses[number] <= RETRIES:
            self._note_loss(label, end)
            return None
        reason = f"its worker was lost {self._losses[number]} times: {end.reason}"
        return CellResult(CellOutcome(self._jobs[number].label, "", State.FAILED, reason))

    def _note_loss(self, label: str, end: WorkerLost) -> None:
        self.lost += 1
        self.reporter.note(f"a worker was lost ({end.reason}); submitted again: {label}")

    def _end(self, number: int, outcome: CellOutcome, cell: Cell | None = None) -> None:
        self._ends[number] = outcome, cell
        made = self._makes(number)
        if cell is not None and made is not None:
            self._finished[made] = cell
        self.reporter.ended(outcome)

    def _end_under_way(self, state: State) -> None:
        for number in sorted(self._under_way | set(self._cuts)):
            self._end(number, CellOutcome(self._jobs[number].label, "", state, "stopped"))

    def _end_rest(self, state: State, reason: str) -> None:
        for number, job in enumerate(self._jobs):
            if number not in self._ends:
                self._end(number, CellOutcome(job.label, "", state, reason))

    def _all_outcomes(self) -> list[CellOutcome]:
        return [*self.outcomes, *(outcome for outcome, _ in self._ends.values())]

    def _collect(self) -> None:
        """Sort the results of the data set into plan order."""
        for number in sorted(self._ends):
            outcome, cell = self._ends[number]
            self.outcomes.append(outcome)
            if cell is not None:
                self.cells.append(cell)
        self._jobs, self._ends = [], {}


def _announce(plan: DatasetPlan) -> str:
    request = plan.request
    rows = len(plan.rows)
    work = f"{plan.cell_count} cells = {rows} rows x {len(plan.prompts)} prompts"
    images = f"{plan.images} images"
    if plan.photos:
        images = f"{max(map(len, plan.photos.values()))} of {plan.images} images each"
    protocol = f"{images}, {len(request.strengths)} strengths, seed {request.seed}"
    return f"{plan.card.name}, tier {plan.tier}: {work}; {protocol}"
