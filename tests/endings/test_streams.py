"""Whatever stdout and stderr are connected to, a command ends as it would on a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENCODINGS = ["latin-1", "cp1252", "ascii", "utf-8"]
FEW = ["--images", "2", "--strengths", "0,1", "--threads", "1"]
ALL = {
    "bench": ["bench", "-m", "random-direction", "-d", "{toy}", *FEW, "--prompts", "naïve Ωμ 明るい"],
    "methods": ["methods"],
    "methods as JSON": ["methods", "--json"],
    "datasets": ["datasets"],
    "assets": ["assets", "list"],
    "reproduce": ["reproduce"],
    "show": ["reproduce", "leaderboard", "--show"],
    "help": ["bench", "--help"],
    "doctor": ["doctor"],
    "table": ["table", "--format", "html"],
    "why": ["why", "naïve"],
    "edit": ["edit", "fotó-Ω.png", "明るい", "-m", "random-direction", "-d", "{toy}"],
    "edit as JSON": ["edit", "evaluation-00000", "明るい Ω", "-m", "random-direction", "-d", "{toy}", "--json"],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_ends_a_command(start, toy, tmp_path, encoding):
    """In one test, since the table and the cell come from the bench before."""
    for name, words in ALL.items():
        running = start(*(word.format(toy=toy) for word in words), environment={"PYTHONIOENCODING": encoding})
        code = running.wait()
        assert code in ((2,) if name in ("why", "edit") else (0, 1)), (name, running.text())
        told = running.log.read_bytes().decode(encoding, "replace")
        assert "UnicodeEncodeError" not in told and "Traceback" not in told, (name, told)
        if name.endswith("as JSON"):
            found = json.loads(told[min(i for i in (told.find("["), told.find("{\n")) if i >= 0) :])
            assert name != "edit as JSON" or found["prompt"] == "明るい Ω"


@pytest.fixture(params=["held back", "at once"], autouse=True)
def buffering(request, monkeypatch):
    """Python holds output back unless it is told otherwise, as in many containers."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    if request.param == "at once":
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")


def _run(*words: str, cwd: Path, **streams) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "TEXTEDIT_BENCH_HOME": str(cwd / "home")}
    command = [sys.executable, "-m", "textedit_bench.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, **streams)


def test_a_full_disk_behind_stdout_is_one_line(tmp_path):
    with open("/dev/full", "wb") as full:
        ended = _run("methods", cwd=tmp_path, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    [line] = ended.stderr.decode().splitlines()
    assert line.startswith("textedit-bench: ") and "disk is full" in line


@pytest.mark.parametrize("words", [("methods",), ("assets", "list", "--json")])
def test_a_reader_that_has_had_enough_is_no_error(tmp_path, words):
    read, write = os.pipe()
    os.close(read)
    ended = _run(*words, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert ended.returncode == 1 and ended.stderr == b""


@pytest.mark.parametrize("how", ["full", "nobody reads", "closed"])
def test_a_stderr_that_takes_nothing_ends_no_work(toy, tmp_path, how):
    words = ["edit", "evaluation-00000", "x", "-m", "random-direction", "-d", toy]  # notes that there is one tier
    if how == "full":
        with open("/dev/full", "wb") as full:
            ended = _run(*words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=full)
    elif how == "nobody reads":
        read, write = os.pipe()
        os.close(read)
        ended = _run(*words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=write)
        os.close(write)
    else:
        ended = _run(*words, cwd=tmp_path, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    assert (ended.returncode, ended.stdout) == (0, b"edit.png\n")
    assert (tmp_path / "edit.png").is_file()


def test_a_closed_stdout_is_no_error(tmp_path):
    ended = _run("methods", cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, b"")
