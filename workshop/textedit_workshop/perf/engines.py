"""Throughput of the bench: `python -m textedit_workshop.perf.engines [--cells 60] [--workers 2] [--engines local ray]`.

Cells per minute of each engine on a toy data set with methods that do nothing, so that what is measured is the runner,
and the runner's own seconds per cell: those of a bench less those of its edits, pictures and judges, which the records
hold. Starting an engine (processes, networks) is timed separately.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from textedit_bench.bench.engines import open_pool
from textedit_bench.bench.engines.schedule import Schedule
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import CellOutcome, State
from textedit_bench.bench.request import ENGINES, BenchRequest
from textedit_bench.bench.scoring import COST, read_table
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError

GOAL_MS = 50.0
"""Milliseconds of its own that the runner may take per cell."""


@dataclass(frozen=True)
class Throughput:
    """One engine.

    Attributes:
        engine: its name.
        workers: how many computed at a time.
        cells: how many were computed.
        start_s: seconds until the first cell could start: workers, networks, inputs.
        seconds: of all cells, from then on.
        per_minute: cells per minute of ``seconds``.
        work_ms: the cells' edits, pictures and judges, milliseconds per cell.
        own_ms: all the rest, milliseconds per cell and worker.
    """

    engine: str
    workers: int
    cells: int
    start_s: float
    seconds: float
    per_minute: float
    work_ms: float
    own_ms: float


class _Clock:
    """A reporter that notes when the first cell was started."""

    def __init__(self) -> None:
        self.first = 0.0
        self.done = 0

    def note(self, text: str) -> None:
        """Nothing is shown."""

    def begin(self, cells: int) -> None:
        """Nothing is shown."""

    def working(self, label: str) -> None:
        """A cell starts."""
        self.first = self.first or time.perf_counter()

    def ended(self, outcome: CellOutcome) -> None:
        """A cell ended."""
        self.done += outcome.state is State.DONE

    def close(self) -> None:
        """Nothing is shown."""


def measure(engine: str, cells: int, workers: int, folder: Path) -> Throughput:
    """Bench the controls, which cost next to nothing, on a toy data set.

    Raises:
        UserError: the engine is not installed or cannot be reached.
    """
    from textedit_bench.testing import write_toy_dataset

    card = write_toy_dataset(folder / "toy", judges=True)
    prompts = tuple(f"bright thing {number}" for number in range(-(-cells // 2)))
    request = BenchRequest(
        methods=("no-edit", "copy-photo"),
        datasets=(str(card),),
        tier="mini",
        prompts=prompts,
        images=2,
        strengths=(0.0, 1.0),
        threads=1,
        controls=False,
        engine=engine,
        workers=0 if engine == "local" else workers,
        results=folder / engine,
    )
    plans, clock = plan(request), _Clock()
    Store(request.results).check_writable()
    began = time.perf_counter()
    pool = open_pool(request, plans, DatasetSession, Store)
    try:
        slots = pool.slots
        Schedule(plans, pool, clock).run()
        seconds = time.perf_counter() - clock.first
    finally:
        pool.close()
    work = sum(float(read_table(path)["seconds"].sum()) for path in request.results.rglob(COST))
    own = (seconds * slots - work) / clock.done
    return Throughput(
        engine,
        slots,
        clock.done,
        clock.first - began,
        seconds,
        60 * clock.done / seconds,
        1000 * work / clock.done,
        1000 * own,
    )


def main() -> None:
    """Print one line per engine, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=["local", "ray"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for engine in given.engines:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = measure(engine, given.cells, given.workers, Path(folder))
            except UserError as error:
                print(f"{engine}: not measured ({error})")
                continue
        if given.json:
            print(json.dumps(asdict(found)))
            continue
        met = (
            f", goal below {GOAL_MS:g} ms: {'met' if found.own_ms < GOAL_MS else 'NOT met'}"
            if engine == "local"
            else ""
        )
        print(
            f"{found.engine}, {found.workers} worker(s), {found.cells} cells: {found.per_minute:.0f} cells per minute, "
            f"{found.work_ms:.0f} ms of work and {found.own_ms:.0f} ms of the runner per cell{met}; "
            f"start {found.start_s:.1f} s"
        )


if __name__ == "__main__":
    main()
