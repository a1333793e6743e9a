"""Imports everything once, then forks a process per command line that it is told on stdin, one line of JSON each.

``{"words": [...], "cwd": ..., "log": ..., "environment": {...}, "largest": bytes or null}`` -> its process id;
``{"wait": pid}`` -> its exit code, negative where a signal killed it; ``largest`` limits the size of a file, which
stands for a full disk.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from contextlib import suppress

import torch

import textedit_workshop.worlds.training.fit  # noqa: F401
from textedit_bench.cli.main import main


def run(asked: dict) -> int:
    """Run the command line in this process; its exit code."""
    os.chdir(asked["cwd"])
    os.environ.update(asked["environment"])
    with open(asked["log"], "ab") as log:  # through a process that has no limit
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
    assert reader.stdin is not None
    for number in (1, 2):
        os.dup2(reader.stdin.fileno(), number)
    reader.stdin.close()
    encoding = asked["environment"].get("PYTHONIOENCODING", "utf-8")
    out, err = (io.FileIO(number, "w", closefd=False) for number in (1, 2))
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(io.BufferedWriter(out), encoding)
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(
        io.BufferedWriter(err), encoding, "backslashreplace", write_through=True
    )
    if asked["largest"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest"], resource.RLIM_INFINITY))
    try:
        return main(asked["words"])
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(nowhere, number)
        with suppress(subprocess.TimeoutExpired):  # multiprocessing's tracker holds it open as long as this process
            reader.wait(timeout=1)


def serve() -> None:
    torch.set_num_threads(1)  # threads do not survive a fork
    for number in (signal.SIGINT, signal.SIGHUP):  # tests that were started in the background have them ignored
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                os._exit(run(asked))
        print(answer, flush=True)


if __name__ == "__main__":
    serve()
