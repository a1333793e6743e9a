"""Command lines run as processes of their own that start at once, and can be sent signals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from textedit_bench.testing import write_toy_dataset


@dataclass
class Running:
    """A command line that was started; ``log`` holds stdout and stderr."""

    pid: int
    log: Path
    ask: Callable[[dict], int]

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        return self.ask({"wait": self.pid})

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def computed(self) -> float:
        """Seconds of processor time so far."""
        spent = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for something that the command does."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it never came to that\n{self.text()}"
            time.sleep(0.002)


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def _server() -> Iterator[Callable[[dict], int]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(Path(__file__).parent / "server.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, bufsize=1
    ) as process:
        assert process.stdin and process.stdout

        def ask(question: dict) -> int:
            process.stdin.write(json.dumps(question) + "\n")
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.fixture(scope="session")
def toy(tmp_path_factory) -> Path:
    """The card of a data set that takes no time, with judges."""
    return write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)


@pytest.fixture
def start(_server, tmp_path) -> Start:
    """Start a command line in ``tmp_path``: ``start("edit", ..., environment={...}, largest=bytes)``."""
    home = str(tmp_path / "home")
    logs = iter(range(1000))

    def go(*words: object, environment: dict[str, str] | None = None, largest: int | None = None) -> Running:
        log = tmp_path / f"log-{next(logs)}.txt"
        given = {"TEXTEDIT_BENCH_HOME": home, **(environment or {})}
        asked = {"words": [str(word) for word in words], "cwd": str(tmp_path), "log": str(log)}
        return Running(_server({**asked, "environment": given, "largest": largest}), log, _server)

    return go
