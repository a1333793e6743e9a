"""Run a bench from request to tables."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import torch

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.outcome import BenchSummary, CellOutcome, State
from textedit_bench.bench.plan import DatasetPlan, MethodPlan, plan
from textedit_bench.bench.progress import Reporter, duration, make_reporter
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import Benched, DatasetSession, NotApplicableError
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError

log = logging.getLogger(__name__)

__all__ = ["BenchRequest", "BenchSummary", "run_bench"]

_ENDED = (State.DONE, State.CACHED, State.FAILED, State.OUT_OF_MEMORY)


def run_bench(request: BenchRequest, reporter: Reporter | None = None) -> BenchSummary:
    """Plan, edit, score and report; progress goes to stderr, nothing to stdout.

    The caller prints ``summary.text()`` and exits with ``summary.exit_code``. A cell that fails keeps its traceback in
    its folder and the others go on; Ctrl-C ends the bench, and the same request continues it.

    Raises:
        UserError: the request cannot be met; no edit was computed.
    """
    from textedit_bench.report.write import write_reports

    plans = plan(request)
    _check_device(request.device)
    store = Store(request.results)
    store.check_writable()
    bench = _Bench(request, store, reporter or make_reporter())
    began = time.monotonic()
    written: tuple[Path, ...] = ()
    tables: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    try:
        bench.reporter.begin(sum(p.cell_count for p in plans))
        for dataset in plans:
            bench.run_dataset(dataset)
        if not bench.interrupted:
            bench.reporter.note("writing tables and pictures")
            written, tables, notes = write_reports(store, bench.cells, bench.benched)
    except KeyboardInterrupt:
        bench.interrupted = True
    finally:
        bench.reporter.close()
    if bench.interrupted:
        notes = (*notes, "interrupted; the same command continues where this one stopped")
        if State.INTERRUPTED not in {o.state for o in bench.outcomes}:
            bench.outcomes.append(CellOutcome("tables", "", State.INTERRUPTED, "stopped while they were written"))
    return BenchSummary(tuple(bench.outcomes), time.monotonic() - began, written, tables, notes)


@dataclass
class _Bench:
    """What a running bench has so far."""

    request: BenchRequest
    store: Store
    reporter: Reporter
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
                matched = done.get((like.info.name, prompt.id)) if like else None
                cell = self._run_cell(session, method, prompt, like, matched)
                if cell is not None and not method.matched:
                    done[method.info.name, prompt.id] = cell

    def _open(self, plan: DatasetPlan) -> DatasetSession:
        from textedit_bench.domain import Domain
        from textedit_bench.metrics.suite import Suite

        domain = Domain(plan.card, plan.tier, self.request.device)
        session = DatasetSession(plan, self.store, domain, Suite(domain))
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
        matched: Cell | None,
    ) -> Cell | None:
        """Run one cell and note its end; the cell where its scores are stored, else None."""
        label = session.plan.label(method, prompt, like.info.name if like else "")
        if self.interrupted:
            self._end(CellOutcome(label, "", State.INTERRUPTED, "not started"))
            return None
        self.reporter.working(label)
        cell = None
        try:
            if like is not None and matched is None:
                raise NotApplicableError(f"there is no finished cell of {like.info.name} to match")
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
