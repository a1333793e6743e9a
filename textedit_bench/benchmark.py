"""Run a bench from request to tables: edit and score (`textedit_bench.bench`), then write (`textedit_bench.report`)."""

from __future__ import annotations

from dataclasses import replace

from textedit_bench.bench.outcome import BenchSummary, CellOutcome, State
from textedit_bench.bench.progress import Reporter, make_reporter
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.files import disk_is_full
from textedit_bench.report.online import require_logger, try_to_log
from textedit_bench.report.write import write_reports

__all__ = ["BenchRequest", "BenchSummary", "run_bench"]

CONTINUES = "interrupted; the same command continues where this one stopped"
FULL = "nothing is lost; with room on the disk, the same command continues where this one stopped"


def run_bench(request: BenchRequest, reporter: Reporter | None = None) -> BenchSummary:
    """Plan, edit, score and report; progress is shown on stderr, nothing on stdout.

    The caller prints ``summary.text()`` and exits with ``summary.exit_code``. A failed cell stores its traceback in
    its folder and the others continue; Ctrl-C ends the bench, and the same request resumes it.

    Raises:
        UserError: the request cannot be fulfilled; no edit was computed.
    """
    require_logger(request)
    reporter = reporter or make_reporter()
    try:
        done = run_cells(request, reporter)
        if done.interrupted:
            return replace(done.summary, notes=(*done.summary.notes, CONTINUES))
        reporter.note("writing tables and pictures")
        try:
            reports = write_reports(done.store, done.cells, done.benched)
            logged = try_to_log(request, done.store, list(reports.tables), reports.written) if reports.tables else ()
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
