"""Imports everything once, then forks a process per command line that it is told on stdin, one line of JSON each.

``{"words": [...], "cwd": ..., "log": ..., "environment": {...}, "largest": bytes or null}`` -> its process id;
``{"wait": pid}`` -> its exit code, negative where a signal killed it; ``largest`` limits the size of a file, which
stands for a full disk.
"""

from __future__ import annotations

import json
import os
import resource
import sys

import torch

import textedit_bench.training
import textedit_bench.worlds.training.fit  # noqa: F401
from textedit_bench.cli.main import main


def run(asked: dict) -> int:
    """Run the command line in this process; its exit code."""
    os.chdir(asked["cwd"])
    os.environ.update(asked["environment"])
    output = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if asked["largest"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest"], resource.RLIM_INFINITY))
    return main(asked["words"])


def serve() -> None:
    torch.set_num_threads(1)  # threads do not survive a fork
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                code = 70
                try:
                    code = run(asked)
                except BaseException:
                    import traceback

                    traceback.print_exc()
                finally:
                    sys.stdout.flush()
                    os._exit(code)
        print(answer, flush=True)


if __name__ == "__main__":
    serve()
