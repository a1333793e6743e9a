"""Define the outcomes of a cell, and summarise a whole bench."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

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
