"""``textedit-bench demo`` as a process, and the bounds of its uploads."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from textedit_bench.cli.main import main


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.delitem(sys.modules, "textedit_bench.demo.app", raising=False)
    assert main(["demo", "--tier", "mini"]) == 2
    assert "pip install 'textedit-bench[demo]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--dataset", "nothing"], ["--tier", "none"], ["--tier", "mini", "--device", "abacus"]]
)
def test_bad_input_is_one_line(words, capsys):
    assert main(["demo", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_it_listens_at_the_loopback_alone_and_leaves_nothing(tmp_path):
    pytest.importorskip("gradio", reason="needs the extra demo") if not os.environ.get("CI") else None
    code = "import sys; from textedit_bench.cli.main import main; sys.exit(main(['demo', '--tier', 'mini']))"
    command = [sys.executable, "-P", "-c", code]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    # A shell that starts the tests in the background has its children ignore SIGINT.
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, preexec_fn=heard, **options) as demo, killed_at_last(demo):
        line = demo.stdout.readline()
        url = line.split()[0]
        assert url.startswith("http://127.0.0.1:"), demo.stderr.read()
        assert len(list(tmp_path.glob("textedit-bench-demo-*"))) == 1
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 130
        assert "Traceback" not in demo.stderr.read()
    assert list(tmp_path.glob("textedit-bench-demo-*")) == []


@contextmanager
def killed_at_last(process):
    """A process that a failure leaves running would be waited for without end."""
    try:
        yield
    finally:
        process.kill()


def _sent(folder, headers):
    """The status of an upload to an app that takes everything."""
    from textedit_bench.demo.app import Guard

    sent = []

    async def takes_all(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": headers}
    asyncio.run(Guard(takes_all, folder)(scope, receive, send))
    return sent[0]["status"]


def test_uploads_are_bounded_in_size_and_count(tmp_path):
    from textedit_bench.demo.app import MOST_BYTES, MOST_FILES

    for number in range(2 * MOST_FILES):
        (tmp_path / str(number)).mkdir()
        file = tmp_path / str(number) / "photo.png"
        file.write_bytes(b"x")
        os.utime(file, (number, number))
    assert _sent(tmp_path, [(b"content-length", b"1000")]) == 200
    kept = sorted(int(file.parent.name) for file in tmp_path.rglob("*.png"))
    assert kept == list(range(MOST_FILES + 1, 2 * MOST_FILES))  # with the new one as many as are allowed
    assert _sent(tmp_path, [(b"content-length", str(2 * MOST_BYTES).encode())]) == 413
    assert _sent(tmp_path, [(b"content-length", b"many")]) == 413
    assert _sent(tmp_path, []) == 413
