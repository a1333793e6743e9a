"""Run a bench, or a generation from texts, from request to tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textedit_bench.bench.generation.session import TASK, GenerationSession, GenerationStore
from textedit_bench.bench.progress import BenchSummary, CellOutcome, Reporter, State, make_reporter
from textedit_bench.bench.request import QUICK, STANDARD_IMAGES, BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.errors import UserError
from textedit_bench.files import disk_is_full
from textedit_bench.registry import list_methods
from textedit_bench.report.generation import write_generation
from textedit_bench.report.online import require_logger, try_to_log
from textedit_bench.report.write import Reports, write_reports

__all__ = ["BenchRequest", "BenchSummary", "run_bench", "run_generation"]

CONTINUES = "interrupted; the same command continues where this one stopped"
FULL = "nothing is lost; with room on the disk, the same command continues where this one stopped"


def run_bench(request: BenchRequest, reporter: Reporter | None = None) -> BenchSummary:
    """Plan, edit, score and report; progress is shown on stderr, nothing on stdout.

    The caller prints ``summary.text()`` and exits with ``summary.exit_code``. A failed cell stores its traceback in
    its folder and the others continue; Ctrl-C ends the bench, and the same request resumes it.

    Raises:
        UserError: the request cannot be fulfilled; no edit was computed.
    """
    return _run(request, reporter, "edit", write_reports)


def run_generation(request: BenchRequest, reporter: Reporter | None = None) -> BenchSummary:
    """Generate from every prompt, score and report, like `run_bench`; controls do not apply.

    Where the request names no method, every installed one that generates is taken.

    ``request.images`` is the number of pictures per prompt, 24 if None; its strengths are not used.

    Raises:
        UserError: the request cannot be met; nothing was generated.
    """
    if request.protocol != QUICK:
        raise UserError(f"protocol: a {request.protocol} is one of edits; valid with task generate: {QUICK}")
    able = tuple(info.name for info in list_methods() if TASK in info.tasks and not info.control)
    if not (request.methods or able):
        raise UserError("methods: none that is installed generates pictures from a text")
    images = request.images or STANDARD_IMAGES
    request = replace(request, methods=request.methods or able, images=images, controls=False)
    return _run(request, reporter, TASK, write_generation, open_session=GenerationSession, open_store=GenerationStore)


def _run(
    request: BenchRequest, reporter: Reporter | None, task: str, write: Callable[..., Reports], **opened: Any
) -> BenchSummary:
    """Run the cells of a task, then write its reports and log them.

    Args:
        write: (store, cells, data sets) -> reports.
        opened: how session and store are opened, see `run_cells`.
    """
    require_logger(request)
    reporter = reporter or make_reporter()
    try:
        done = run_cells(request, reporter, **opened)
        if done.interrupted:
            return replace(done.summary, notes=(*done.summary.notes, CONTINUES))
        reporter.note("writing tables and pictures")
        try:
            reports = write(done.store, done.cells, done.benched)
            curves = [] if task == TASK else list(reports.tables)
            logged = try_to_log(request, done.store, curves, reports.written, task) if reports.tables else ()
        except KeyboardInterrupt:
            stopped = CellOutcome("tables", "", State.INTERRUPTED, "stopped while they were written")
            return replace(done.summary, outcomes=(*done.summary.outcomes, stopped), notes=(CONTINUES,))
        except OSError as error:
            if not disk_is_full(error):
                raise
            failed = CellOutcome("tables", "", State.FAILED, f"the disk is full ({error.strerror or error})")
            return replace(done.summary, outcomes=(*done.summary.outcomes, failed), notes=(FULL,))
    finally:
        reporter.close()
    return replace(
        done.summary,
        written=reports.written,
        tables=reports.tables,
        notes=(*done.summary.notes, *reports.notes, *logged),
        refused=reports.refused,
        seconds=done.seconds(),
    )
