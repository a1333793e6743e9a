"""What a rehearsal took, as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from textedit_bench.files import write_text
from textedit_workshop.rehearsal.stages import Measured


@dataclass(frozen=True)
class Limits:
    """What a rehearsal may take; of an idle machine with two cores."""

    minutes: float = 40.0
    memory_bytes: float = 12e9
    disk_bytes: float = 15e9


def table(measured: Sequence[Measured]) -> str:
    """One line per stage, Markdown."""
    lines = ["| stage | seconds | CPU seconds | peak GB | disk GB | result |", "|---|---:|---:|---:|---:|---|"]
    lines += [line(stage) for stage in measured]
    return "\n".join(lines) + "\n"


def line(stage: Measured) -> str:
    """One stage."""
    result = (f"FAILED: {stage.failure}" if stage.failure else f"ok; {stage.saw}" if stage.saw else "ok").replace(
        "|", "/"
    )
    figures = (
        f"{stage.seconds:.0f} | {stage.cpu_seconds:.0f} | {stage.peak_bytes / 1e9:.1f} | {stage.disk_bytes / 1e9:.1f}"
    )
    return f"| {stage.name} | {figures} | {result} |"


def verdict(measured: Sequence[Measured], limits: Limits) -> tuple[str, bool]:
    """One sentence per limit, and whether every stage worked within memory and disk.

    Time is told, not judged: it is the machine's, which may have other things to do.
    """
    failed = [stage.name for stage in measured if stage.failure]
    memory, disk = max((s.peak_bytes for s in measured), default=0), max((s.disk_bytes for s in measured), default=0)
    minutes, busy = (sum(seconds) / 60 for seconds in zip(*((s.seconds, s.cpu_seconds) for s in measured), strict=True))
    lines = [
        f"{len(measured) - len(failed)} of {len(measured)} stages worked"
        + (f"; not: {', '.join(failed)}" if failed else ""),
        f"time: {minutes:.1f} minutes, {busy:.1f} of processors (goal: {limits.minutes:g} on two idle cores)",
        f"memory: {memory / 1e9:.1f} GB in the largest stage (limit: {limits.memory_bytes / 1e9:g})",
        f"disk: {disk / 1e9:.1f} GB at once (limit: {limits.disk_bytes / 1e9:g})",
    ]
    good = not failed and memory <= limits.memory_bytes and disk <= limits.disk_bytes
    return "\n".join(lines) + "\n", good


def write_report(measured: Sequence[Measured], limits: Limits, folder: Path) -> Path:
    """``rehearsal.md`` and ``rehearsal.json``; gives the first's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "rehearsal.json", json.dumps([asdict(stage) for stage in measured], indent=2) + "\n")
    path = folder / "rehearsal.md"
    write_text(path, f"# Dress rehearsal of the full tier\n\n{table(measured)}\n{verdict(measured, limits)[0]}")
    return path
