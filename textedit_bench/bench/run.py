"""Run a bench from request to stored scores."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.controls import NotApplicableError
from textedit_bench.bench.outcome import BenchSummary, CellOutcome, State
from textedit_bench.bench.plan import DatasetPlan, MethodPlan, plan
from textedit_bench.bench.progress import Reporter, duration
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import Benched, DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError

log = logging.getLogger(__name__)

__all__ = ["Done", "run_cells"]

_ENDED = (State.DONE, State.CACHED, State.FAILED, State.OUT_OF_MEMORY)


@dataclass(frozen=True)
class Done:
    """What a run left, for those who write tables of it."""

    summary: BenchSummary
    store: Store
    cells: tuple[Cell, ...]
    """Cells with stored scores."""
    benched: tuple[Benched, ...]
    began: float

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped before its end."""
        return State.INTERRUPTED in self.summary.counts

    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.began


def run_cells(
    request: BenchRequest,
    reporter: Reporter,
    *,
    open_session: type[DatasetSession] = DatasetSession,
    open_store: type[Store] = Store,
) -> Done:
    """Plan, edit and score; writes no table. The reporter is left open.

    Args:
        request: what is asked.
        reporter: told about progress.
        open_session: how a cell is brought to its end; another one for another task.
        open_store: where cells lie; another one for another task.

    Raises:
        UserError: the request cannot be met; no edit was computed.
    """
    plans = plan(request)
    _check_device(request.device)
    store = open_store(request.results)
    store.check_writable()
    bench = _Bench(request, store, reporter, open_session)
    began = time.monotonic()
    try:
        reporter.begin(sum(p.cell_count for p in plans))
        for dataset in plans:
            bench.run_dataset(dataset)
    except KeyboardInterrupt:
        bench.interrupted = True
    if bench.interrupted and State.INTERRUPTED not in {o.state for o in bench.outcomes}:
        bench.outcomes.append(CellOutcome("bench", "", State.INTERRUPTED, "stopped between cells"))
    summary = BenchSummary(tuple(bench.outcomes), time.monotonic() - began)
    return Done(summary, store, tuple(bench.cells), tuple(bench.benched), began)


@dataclass
class _Bench:
    """What a running bench has so far."""

    request: BenchRequest
    store: Store
    reporter: Reporter
    open_session: type[DatasetSession] = DatasetSession
    outcomes: list[CellOutcome] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    """Cells with stored scores."""
    benched: list[Benched] = field(default_factory=list)
    interrupted: bool = False

    def run_dataset(self, plan: DatasetPlan) -> None:
        """All cells of one data set."""
        if self.interrupted:
            self._end_all(plan, State.INTERRUPTED, "not started")
            return
        self.reporter.note(_announce(plan))
        try:
            session = self._open(plan)
        except KeyboardInterrupt:
            self.interrupted = True
            self._end_all(plan, State.INTERRUPTED, "stopped while photos were inverted")
            return
        except Exception as error:
            if isinstance(error, UserError) and not self.outcomes:
                raise
            log.exception("%s could not be prepared", plan.card.name)
            self._end_all(plan, State.FAILED, f"{plan.card.name} could not be prepared: {one_line(str(error))}")
            return
        self.benched.append(Benched(plan, session.protocols))
        done: dict[tuple[str, str], Cell] = {}
        for method, like in plan.pairs():
            for prompt in plan.prompts:
                cell = self._run_cell(session, method, prompt, like, done)
                if cell is not None and not method.matched and method.tuned is None:
                    done[method.info.name, prompt.id] = cell

    def _open(self, plan: DatasetPlan) -> DatasetSession:
        from textedit_bench.domain import Domain
        from textedit_bench.metrics.suite import Suite

        domain = Domain(plan.card, plan.tier, self.request.device)
        session = self.open_session(plan, self.store, domain, Suite(domain))
        seconds = session.estimate(session.count_todo())
        if seconds:
            self.reporter.note(
                f"estimate: about {duration(seconds)} for {plan.card.name}, beside the method's own work"
            )
        return session

    def _run_cell(
        self,
        session: DatasetSession,
        method: MethodPlan,
        prompt: PlannedPrompt,
        like: MethodPlan | None,
        done: Mapping[tuple[str, str], Cell],
    ) -> Cell | None:
        """Run one cell and note its end; the cell where its scores are stored, else None."""
        label = session.plan.label(method, prompt, like.info.name if like else "")
        if self.interrupted:
            self._end(CellOutcome(label, "", State.INTERRUPTED, "not started"))
            return None
        self.reporter.working(label)
        cell = None
        try:
            matched = _matched(plan=session.plan, method=method, prompt=prompt, like=like, done=done)
            cell = session.cell(method, prompt, matched)
            state, seconds = session.run(cell, method)
        except NotApplicableError as error:
            self._end(CellOutcome(label, cell.digest if cell else "", State.NOT_APPLICABLE, str(error)))
        except KeyboardInterrupt:
            self.interrupted = True
            self._end(CellOutcome(label, cell.digest if cell else "", State.INTERRUPTED, "stopped"))
        except UserError:
            if len(self.request.methods) == 1 and not any(o.state in _ENDED for o in self.outcomes):
                raise  # wrong input that only the method could see; nothing else was asked
            self._fail(label, cell)
        except Exception:
            self._fail(label, cell)
        else:
            self._end(CellOutcome(label, cell.digest, state, seconds=seconds))
            self.cells.append(cell)
            return cell
        return None

    def _fail(self, label: str, cell: Cell | None) -> None:
        """Keep the traceback of the exception being handled."""
        text = traceback.format_exc()
        last = text.strip().splitlines()[-1]
        state = State.OUT_OF_MEMORY if _is_out_of_memory(text) else State.FAILED
        failure = None
        if cell is not None:
            facts = {"state": state.value, "label": label, "identity": cell.identity(), "traceback": text}
            failure = self.store.cell(cell).fail(facts)
        self._end(CellOutcome(label, cell.digest if cell else "", state, one_line(last), failure=failure))

    def _end(self, outcome: CellOutcome) -> None:
        self.outcomes.append(outcome)
        self.reporter.ended(outcome)

    def _end_all(self, plan: DatasetPlan, state: State, reason: str) -> None:
        for method, like in plan.pairs():
            for prompt in plan.prompts:
                self._end(CellOutcome(plan.label(method, prompt, like.info.name if like else ""), "", state, reason))


def _matched(
    plan: DatasetPlan,
    method: MethodPlan,
    prompt: PlannedPrompt,
    like: MethodPlan | None,
    done: Mapping[tuple[str, str], Cell],
) -> Cell | None:
    """The finished cell that a matched control copies; None for everything else.

    Raises:
        NotApplicableError: there is no such cell.
    """
    if like is None:
        return None
    source = plan.source_prompt(method, prompt)
    if source is None:
        raise NotApplicableError("no other prompt of the bench asks for something else")
    matched = done.get((like.info.name, source.id))
    if matched is None:
        raise NotApplicableError(f"there is no finished cell of {like.info.name} to match")
    return matched


def one_line(text: str) -> str:
    """Text that is safe in one line of a terminal: no control characters, at most 300 characters."""
    return "".join(c if c.isprintable() else " " for c in text)[:300]


def _announce(plan: DatasetPlan) -> str:
    request = plan.request
    rows = sum(1 for _ in plan.pairs())
    work = f"{plan.cell_count} cells = {rows} rows x {len(plan.prompts)} prompts"
    protocol = f"{request.images} images, {len(request.strengths)} strengths, seed {request.seed}"
    return f"{plan.card.name}, tier {plan.tier}: {work}; {protocol}"


def _check_device(device: str) -> None:
    try:
        parsed = torch.device(device)
    except RuntimeError as error:
        raise UserError(f"device: {device!r} is unknown; valid: cpu, cuda, cuda:<index>") from error
    if parsed.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device: {device!r} asked, but torch sees no CUDA device; valid: cpu")


def _is_out_of_memory(text: str) -> bool:
    """Whether a traceback ends in any of the ways in which memory runs out."""
    last = text.strip().splitlines()[-1]
    return last.startswith("MemoryError") or "OutOfMemoryError" in last or "can't allocate memory" in last
