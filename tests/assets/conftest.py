"""A real HTTP server on the loopback address that serves one content in every way that goes wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from textedit_bench.assets.manifest import Asset

CONTENT = bytes(range(256)) * 2000
TAG = '"version-1"'


class Server(ThreadingHTTPServer):
    """Serves ``content``; what happens depends on the path.

    /file          as asked, ranges included
    /cut           ends after half of what is left, every second time
    /always-cut    ends after 10,000 bytes of what is left, always
    /no-range      ignores ranges
    /missing       404
    /busy          503 twice, then the file
    /page          200 and a web page
    /disguised     a web page that calls itself a binary file
    /slow          the file in small pieces
    """

    content = CONTENT
    tag = TAG

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str]] = []
        """(path, range asked for) of each request."""

    def link(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, wanted = self.path.strip("/"), self.headers.get("Range", "")
        self.server.requests.append((path, wanted))
        seen = sum(1 for p, _ in self.server.requests if p == path)
        if path == "missing":
            self._answer(404, b"no such file")
        elif path == "busy" and seen <= 2:
            self._answer(503, b"later")
        elif path in ("page", "disguised"):
            kind = "text/html; charset=utf-8" if path == "page" else "application/octet-stream"
            self._answer(200, b"<!DOCTYPE html><html>Quota exceeded</html>", kind)
        else:
            self._file(path, wanted, seen)

    def _file(self, path: str, wanted: str, seen: int) -> None:
        content, start = self.server.content, 0
        same = self.headers.get("If-Range") in (None, self.server.tag)
        if wanted and same and path != "no-range":
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        part = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", self.server.tag)
        self.end_headers()
        if path == "cut" and seen % 2:
            part = part[: len(part) // 2]
        elif path == "always-cut":
            part = part[:10_000]
        step = len(part) // 8 + 1 if path == "slow" else len(part) + 1
        for at in range(0, len(part), step):
            self.wfile.write(part[at : at + step])
            self.wfile.flush()
            if path == "slow":
                threading.Event().wait(0.02)
        self.close_connection = True

    def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, running; proxies of this machine are left out, and nobody waits between attempts."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("textedit_bench.assets.transfer.time.sleep", lambda _: None)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for assets."""
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def asset_of(link: str, **changes: object) -> Asset:
    """The served content as an asset, its size and checksum known."""
    known = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    values = {"id": "thing", "title": "A thing", "file": "thing.bin", "url": link, "licence": "MIT", **known, **changes}
    return Asset.model_validate({name: value for name, value in values.items() if value is not None})


@pytest.fixture
def make_asset(server: Server):
    """make_asset("cut", sha256=None) -> the content at that path of the server."""
    return lambda path, **changes: asset_of(server.link(path), **changes)
