"""Steps of a rehearsal, each a process of its own, so that its memory is measured and given back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_KIB = 1024
_RSS_UNIT = 1 if sys.platform == "darwin" else _KIB  # getrusage counts bytes there, KiB elsewhere


@dataclass(frozen=True)
class Stage:
    """One command.

    Attributes:
        name: what it is, for the table.
        command: arguments of Python.
        check: looks at what the command left and raises `AssertionError` where it is not what it should be; gives what
            it saw, in a few words.
        codes: exit codes that mean that it worked.
    """

    name: str
    command: Sequence[str]
    check: Callable[[], str] = lambda: ""
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Measured:
    """What a stage took.

    Attributes:
        name: of the stage.
        seconds: of the wall clock.
        cpu_seconds: of all its processes, independent of other load on the machine.
        peak_bytes: largest resident memory of one process.
        disk_bytes: what lies in the rehearsal's folder afterwards.
        saw: what its check found.
        failure: why it failed; empty if it did not.
    """

    name: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    disk_bytes: int
    saw: str = ""
    failure: str = ""


def run_stage(stage: Stage, folder: Path, environment: Mapping[str, str]) -> Measured:
    """Run one stage; its output goes to ``<folder>/logs``."""
    log = folder / "logs" / f"{stage.name.replace(' ', '-').replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, *stage.command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=folder,
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    saw, failure = "", ""
    if child.returncode not in stage.codes:
        failure = f"exit code {child.returncode}: {_last_line(log)} (see {log})"
    else:
        try:
            saw = stage.check()
        except Exception as error:  # what a stage left may be damaged in any way
            failure = f"{type(error).__name__}: {error} (see {log})"
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(stage.name, seconds, cpu, usage.ru_maxrss * _RSS_UNIT, disk_bytes(folder), saw, failure)


def disk_bytes(folder: Path) -> int:
    """Bytes that the files of a folder occupy."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
