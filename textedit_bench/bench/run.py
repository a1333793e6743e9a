"""Run a bench from request to tables."""

from __future__ import annotations

from textedit_bench.bench.outcome import BenchSummary
from textedit_bench.bench.request import BenchRequest

__all__ = ["BenchRequest", "BenchSummary", "run_bench"]


def run_bench(request: BenchRequest) -> BenchSummary:
    """Plan, edit, score and report; progress goes to stderr, nothing to stdout.

    The caller prints ``summary.text()`` and exits with ``summary.exit_code``.

    Raises:
        UserError: the request cannot be met; nothing was computed.
    """
    raise NotImplementedError("under construction")
