"""SIGTERM, SIGINT and SIGHUP end every long command with 128 plus their number, one line and nothing half-written."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

ENDS = {
    signal.SIGTERM: (143, "interrupted (SIGTERM)"),
    signal.SIGINT: (130, "interrupted"),
    signal.SIGHUP: (129, "interrupted (SIGHUP)"),
}
SLOW = ["--set", "steps=1000000"]
FEW = ["--images", "3", "--strengths", "0,1", "--threads", "1", "--no-controls", "--prompts", "bright top"]
METHOD = ["-m", "styleclip-optimization", "-t", "mini"]
COMMANDS = {
    "bench": ["bench", *METHOD, *FEW, *SLOW],
    "bench on processes": ["bench", *METHOD, *FEW, *SLOW, "--engine", "processes", "--workers", "1"],
    "tune": ["tune", *METHOD, *FEW[:6], "--grid", "steps=[1000000]"],
    "edit": ["edit", "evaluation-00000", "bright top", *METHOD, *SLOW],
    "generate": ["generate", "bright top", *METHOD, *SLOW],
}
CASES = [(command, signal.SIGTERM) for command in COMMANDS]
CASES += [("edit", signal.SIGINT), ("edit", signal.SIGHUP), ("bench", signal.SIGINT), ("bench", signal.SIGHUP)]


def _end(running, number: int, tmp_path: Path) -> None:
    code, line = ENDS[number]
    running.send(number)
    assert running.wait() == code, running.text()
    assert "Traceback" not in running.text()
    assert running.text().splitlines()[-1] == f"textedit-bench: {line}", running.text()
    assert list(tmp_path.rglob("*.part")) == []


@pytest.mark.parametrize(("command", "number"), CASES, ids=str)
def test_a_command_that_computes(start, toy, tmp_path, command, number):
    running = start(*COMMANDS[command], "-d", toy)
    if command == "bench on processes":
        running.until(lambda: (tmp_path / "results" / "mini").exists())
    else:
        running.until(lambda: running.computed() > 0.8)
    _end(running, number, tmp_path)


def test_an_experiment(start, toy, tmp_path):
    facts = {"name": "mine", "title": "Mine", "question": "Is it?", "citation": "Nobody", "images": 3}
    asked = {"datasets": [str(toy)], "methods": [METHOD[1]], "settings": {METHOD[1]: {"steps": 1_000_000}}}
    measure = [{"kind": "scores", "metrics": ["lpips"]}]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**facts, **asked, "measure": measure}))
    running = start("reproduce", "mine.yaml", "--threads", "1")
    running.until(lambda: running.computed() > 0.8)
    _end(running, signal.SIGTERM, tmp_path)
    assert not list(tmp_path.rglob("mine.csv"))


def test_a_download_keeps_what_arrived(start, tmp_path):
    content = b"x" * 5000
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.recv(10_000)
                head = f'HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nETag: "a"\r\n\r\n'.encode()
                connection.sendall(head + content[:3000])
                kept.append(connection)  # and no more comes

        kept: list[socket.socket] = []
        threading.Thread(target=answer, daemon=True).start()
        (tmp_path / "mine.bin").write_bytes(content)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/mine.bin"
        added = start("assets", "add", "mine", "mine.bin", "--licence", "MIT", "--url", url)
        assert added.wait() == 0, added.text()
        [place] = (tmp_path / "home").rglob("mine.bin")
        place.unlink()
        running = start("assets", "fetch", "mine", environment={"no_proxy": "*"})
        part = place.with_name("mine.bin.part")
        running.until(lambda: part.exists() and computed_nothing(running))
        running.send(signal.SIGTERM)
        assert running.wait() == 143, running.text()
        assert running.text().splitlines()[-1] == "textedit-bench: interrupted (SIGTERM)"
        assert not place.exists() and content.startswith(part.read_bytes())


def computed_nothing(running) -> bool:
    """Whether it has waited for a quarter of a second."""
    before = running.computed()
    time.sleep(0.25)
    return running.computed() == before


def test_the_rehearsal_ends_its_stage_too(tmp_path):
    command = [
        sys.executable,
        "-m",
        "textedit_workshop.rehearsal",
        "--folder",
        str(tmp_path / "r"),
        "--methods",
        "ffclip",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        logs = tmp_path / "r" / "logs"
        while process.poll() is None and not (logs.is_dir() and any(logs.iterdir())):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[0]
    assert process.returncode == 143, told
    assert told.splitlines()[-1].startswith("rehearsal: interrupted (SIGTERM); what was written lies in ")
