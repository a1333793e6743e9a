"""What a bench says while it runs."""

from __future__ import annotations

import io

from textedit_bench.bench.outcome import CellOutcome, State
from textedit_bench.bench.progress import PlainReporter


def test_every_bench_of_a_run_is_counted_on_its_own():
    # `reproduce` runs one bench after another: its second one once said [1196/360].
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    for cells in (2, 1):
        reporter.begin(cells)
        for number in range(cells):
            reporter.ended(CellOutcome(f"cell {number}", "", State.CACHED, ""))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["[1/2]", "[2/2]", "[1/1]"]
