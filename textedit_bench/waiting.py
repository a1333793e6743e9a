"""Set the wait policy of OpenMP threads, which OpenMP reads once, when torch is imported."""

from __future__ import annotations

import os
from pathlib import Path

POLICY, SPINS = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"
_A_MOMENT = "20000"
"""Some ten microseconds: longer than threads of a small network wait for each other, shorter than a time slice."""
_LOAD = Path("/proc/loadavg")


def choose_waiting() -> None:
    """Let waiting threads sleep, on an idle machine after brief spinning; a user's setting is kept.

    Sleeping threads wake up slowly: on an idle machine a mini bench then takes a third longer. Spinning ones, OpenMP's
    default, take CPU time from other processes and from each other (figures: docs/pages/scale.md).
    """
    if POLICY in os.environ or SPINS in os.environ:
        return
    os.environ[POLICY] = "PASSIVE"
    if not is_crowded():
        os.environ[SPINS] = _A_MOMENT


def is_crowded() -> bool:
    """Whether other processes keep this machine's cores busy, now or over the last minute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        loads = _LOAD.read_text().split()  # load over 1, 5 and 15 minutes; runnable processes, including this one
        busy = max(float(loads[0]), int(loads[3].partition("/")[0]) - 1)
    except (OSError, ValueError, IndexError):
        busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return busy >= cores
