"""Kill a bench again and again until it is through: ``kill_bench.py RESULTS CARD METHOD PROMPTS KILLS SEED``.

A process of its own, since it forks: everything is imported once, each attempt is a child that is killed with SIGKILL
at a random moment after a random number of further files, and the last one may end by itself. Counting files and not
seconds spreads the kills over the whole run on any machine. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from textedit_bench.bench.progress import PlainReporter
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells


def bench(results: Path, card: str, method: str, prompts: tuple[str, ...]) -> int:
    """Run it in this process; its exit code."""
    request = BenchRequest(
        methods=(method,),
        datasets=(card,),
        prompts=prompts,
        images=2,
        strengths=(0.0, 1.0),
        threads=1,
        tier="mini",
        results=results,
    )
    with open(os.devnull, "w") as nowhere:
        return run_cells(request, PlainReporter(nowhere)).summary.exit_code


def start(work: Callable[[], int]) -> int:
    """Run the work in a child; its process id."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            code = work()
        finally:
            os._exit(code)
    return child


def files(root: Path) -> int:
    """How many there are now, unfinished ones included; a folder may vanish while it is walked."""
    return sum(len(names) for _, _, names in os.walk(root))


def kill(child: int, root: Path, further: int, seconds: float) -> bool:
    """Kill the child so many seconds after it wrote so many files; whether it did not end before."""
    goal = files(root) + further
    while files(root) < goal:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return False
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    results, card, method, prompts, kills, seed = sys.argv[1:]
    torch.set_num_threads(1)
    words = tuple(json.loads(prompts))
    chance, stored, killed_folders = random.Random(int(seed)), [], 1
    folder = Path(results)
    assert bench(folder / "undisturbed", card, method, words) == 0
    mean = files(folder / "undisturbed") / int(kills)
    root = folder / "killed-1"
    while len(stored) < int(kills):
        child = start(lambda root=root: bench(root, card, method, words))
        if kill(child, root, chance.randrange(int(1.4 * mean) + 2), chance.uniform(0.0, 0.03)):
            stored.append(sum(1 for _ in root.rglob("records.parquet")))
        else:  # it got through before; the rest of the kills hits another run
            killed_folders += 1
            root = folder / f"killed-{killed_folders}"
    child = start(lambda: bench(root, card, method, words))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print(json.dumps({"killed": len(stored), "runs": killed_folders, "cells_stored_at_each_kill": stored}))


if __name__ == "__main__":
    main()
