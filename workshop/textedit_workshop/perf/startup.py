"""Print how long the light subcommands take to start: median seconds of five runs after one to warm the disk."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = (["--help"], ["methods"], ["datasets"])


def seconds(command: list[str]) -> float:
    """Wall time of one run.

    Raises:
        CalledProcessError: the command failed.
    """
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    program = str(Path(sys.executable).with_name("textedit-bench"))
    for arguments in COMMANDS:
        seconds([program, *arguments])
        taken = statistics.median(seconds([program, *arguments]) for _ in range(5))
        print(f"textedit-bench {' '.join(arguments):10} {taken:.3f} s")
