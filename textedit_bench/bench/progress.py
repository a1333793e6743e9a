"""Show progress of a bench on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from textedit_bench.bench.outcome import CellOutcome, State

_COLOURS = {State.DONE: "green", State.CACHED: "cyan", State.NOT_APPLICABLE: "yellow"}


class Reporter(Protocol):
    """Interface of progress displays."""

    def note(self, text: str) -> None:
        """Show one line of information."""
        ...

    def begin(self, cells: int) -> None:
        """Start counting the cells of a bench; the counter restarts for each of several benches."""
        ...

    def working(self, label: str) -> None:
        """Report the start of a cell."""
        ...

    def ended(self, outcome: CellOutcome) -> None:
        """Report the end of a cell."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


class Clock:
    """Estimates the time left from the computed cells; cells found in the store take no time."""

    def __init__(self, cells: int = 0) -> None:
        self.cells = cells
        self.ended = 0
        self._worked = 0
        self._began = time.monotonic()

    def count(self, outcome: CellOutcome) -> None:
        """Record the end of a cell."""
        self.ended += 1
        self._worked += outcome.state is State.DONE

    @property
    def left(self) -> str:
        """Return ``"1:05 left"``, or an empty text while there is no estimate."""
        rest = self.cells - self.ended
        if not self._worked or not rest:
            return ""
        seconds = round((time.monotonic() - self._began) / self._worked * rest)
        return f"{duration(seconds)} left"


def duration(seconds: float) -> str:
    """Format seconds as ``m:ss``, with hours if there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class PlainReporter:
    """Prints one line per event, without control characters."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = Clock()

    def note(self, text: str) -> None:
        """See `Reporter.note`."""
        print(text, file=self._stream, flush=True)

    def begin(self, cells: int) -> None:
        """See `Reporter.begin`."""
        self._clock = Clock(cells)

    def working(self, label: str) -> None:
        """See `Reporter.working`."""

    def ended(self, outcome: CellOutcome) -> None:
        """See `Reporter.ended`."""
        self._clock.count(outcome)
        self.note(_line(outcome, self._clock))

    def close(self) -> None:
        """See `Reporter.close`."""


class TerminalReporter:
    """Prints the same lines above a progress bar."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("preparing", total=None, left="")
        self._progress.start()

    def note(self, text: str) -> None:
        """See `Reporter.note`."""
        self._console.print(escape(text))

    def begin(self, cells: int) -> None:
        """See `Reporter.begin`."""
        self._clock = Clock(cells)
        self._progress.update(self._task, total=cells, completed=0, left="")

    def working(self, label: str) -> None:
        """See `Reporter.working`."""
        self._progress.update(self._task, description=escape(label))

    def ended(self, outcome: CellOutcome) -> None:
        """See `Reporter.ended`."""
        self._clock.count(outcome)
        colour = _COLOURS.get(outcome.state, "red")
        self._console.print(f"[{colour}]{escape(_line(outcome, self._clock))}[/]")
        self._progress.update(self._task, completed=self._clock.ended, left=self._clock.left)

    def close(self) -> None:
        """See `Reporter.close`."""
        self._progress.stop()


def make_reporter() -> Reporter:
    """Create the reporter that suits stderr."""
    return TerminalReporter() if sys.stderr.isatty() else PlainReporter()


def _line(outcome: CellOutcome, clock: Clock) -> str:
    reason = f": {outcome.reason}" if outcome.reason else ""
    left = f"  ({clock.left})" if clock.left else ""
    took = f"  {outcome.seconds:.1f} s" if outcome.state is State.DONE else ""
    return f"[{clock.ended}/{clock.cells}] {outcome.state.value}: {outcome.label}{reason}{took}{left}"
