"""Define the outcomes of cells, show progress of a bench on stderr as they come, and summarise them."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINES = 20
"""Maximum number of lines of a summary on cells without a result."""


class State(StrEnum):
    """The possible outcomes of a cell."""

    DONE = "done"
    CACHED = "cached"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    INTERRUPTED = "interrupted"


_FAILURES = {State.FAILED, State.OUT_OF_MEMORY}


@dataclass(frozen=True)
class CellOutcome:
    """The outcome of one cell."""

    label: str
    """``method / data set / prompt``."""
    digest: str
    state: State
    reason: str = ""
    """The reason, for every state except done and cached; the full traceback is in ``failure``."""
    seconds: float = 0.0
    failure: Path | None = None
    """File with the traceback, if the cell failed."""


@dataclass(frozen=True)
class BenchSummary:
    """The result of a bench; the command line prints `text` on stdout and exits with `exit_code`."""

    outcomes: tuple[CellOutcome, ...]
    seconds: float
    written: tuple[Path, ...] = ()
    """Written tables and pictures, the most useful ones first."""
    tables: dict[str, str] = field(default_factory=dict)
    """Tier -> the table as text for a terminal."""
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Reasons why a table was not written: controls with wrong scores."""

    @property
    def counts(self) -> dict[State, int]:
        """State -> number of cells; states without cells are omitted."""
        found = Counter(outcome.state for outcome in self.outcomes)
        return {state: found[state] for state in State if found[state]}

    @property
    def exit_code(self) -> int:
        """0 all done, cached or not applicable; 1 something failed; 130 interrupted."""
        if State.INTERRUPTED in self.counts:
            return 130
        return 1 if self.refused or self.counts.keys() & _FAILURES else 0

    def text(self) -> str:
        """Return the final summary: tables, errors (failures first, one line per reason), written files."""
        parts = [table.rstrip("\n") + "\n" for table in self.tables.values()]
        alike: dict[tuple[State, str], list[CellOutcome]] = {}
        for outcome in self.outcomes:
            if outcome.state not in (State.DONE, State.CACHED):
                alike.setdefault((outcome.state, outcome.reason), []).append(outcome)
        lines = []
        for (state, reason), (first, *others) in sorted(alike.items(), key=lambda each: each[0][0] not in _FAILURES):
            label = f"{first.label} and {len(others)} more" if others else first.label
            lines.append(f"{state.value}: {label}: {reason}" + (f"  ({first.failure})" if first.failure else ""))
        parts += [*lines[:_LINES], *([f"... and {len(lines) - _LINES} more"] if len(lines) > _LINES else [])]
        parts.extend(f"note: {note}" for note in self.notes)
        parts.extend(f"table refused: {reason}" for reason in self.refused)
        counts = ", ".join(f"{count} {state.value}" for state, count in self.counts.items()) or "none"
        parts.append(f"{len(self.outcomes)} cells in {self.seconds:.0f} s: {counts}")
        if self.written:
            parts.append("written:")
            parts.extend(f"  {path}" for path in self.written)
        return "\n".join(parts) + "\n"

    def to_json(self) -> dict[str, object]:
        """Return plain values for ``--json``."""
        return {
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "counts": {state.value: count for state, count in self.counts.items()},
            "written": [str(path) for path in self.written],
            "notes": list(self.notes),
            "refused": list(self.refused),
            "cells": [
                {
                    "label": o.label,
                    "digest": o.digest,
                    "state": o.state.value,
                    "reason": o.reason,
                    "seconds": round(o.seconds, 3),
                    "failure": str(o.failure) if o.failure else None,
                }
                for o in self.outcomes
            ],
        }


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
