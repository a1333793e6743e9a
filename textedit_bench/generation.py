"""Run a generation from request to tables."""

from __future__ import annotations

from dataclasses import replace

from textedit_bench.bench.generation.session import TASK, GenerationSession
from textedit_bench.bench.generation.store import GenerationStore
from textedit_bench.bench.outcome import BenchSummary
from textedit_bench.bench.progress import Reporter, make_reporter
from textedit_bench.bench.request import QUICK, STANDARD_IMAGES, BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.errors import UserError
from textedit_bench.registry import list_methods
from textedit_bench.report.generation import write_generation
from textedit_bench.report.online import require_logger, try_to_log

__all__ = ["run_generation"]

CONTINUES = "interrupted; the same command continues where this one stopped"


def run_generation(request: BenchRequest, reporter: Reporter | None = None) -> BenchSummary:
    """Generate from every prompt, score and report; controls do not apply.

    Where the request names no method, every installed one that generates is taken.

    ``request.images`` is the number of pictures per prompt, 24 if None; its strengths are not used.

    Raises:
        UserError: the request cannot be met; nothing was generated.
    """
    if request.protocol != QUICK:
        raise UserError(f"protocol: a {request.protocol} is one of edits; valid with task generate: {QUICK}")
    require_logger(request)
    reporter = reporter or make_reporter()
    able = tuple(info.name for info in list_methods() if TASK in info.tasks and not info.control)
    if not (request.methods or able):
        raise UserError("methods: none that is installed generates pictures from a text")
    images = request.images or STANDARD_IMAGES
    request = replace(request, methods=request.methods or able, images=images, controls=False)
    try:
        done = run_cells(request, reporter, open_session=GenerationSession, open_store=GenerationStore)
        if done.interrupted:
            return replace(done.summary, notes=(*done.summary.notes, CONTINUES))
        reporter.note("writing tables and pictures")
        reports = write_generation(done.store, done.cells, done.benched)
        logged = try_to_log(request, done.store, (), reports.written, TASK) if reports.tables else ()
    finally:
        reporter.close()
    return replace(
        done.summary,
        written=reports.written,
        tables=reports.tables,
        notes=(*done.summary.notes, *reports.notes, *logged),
        seconds=done.seconds(),
    )
