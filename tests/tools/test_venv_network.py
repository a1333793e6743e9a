"""The environment builder with a real interpreter and real installers, against an index on this machine that fails."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = "small==1.0\n"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "textedit-bench"
version = "1"
requires-python = ">=3.11"
dependencies = ["small"]
optional-dependencies = { dev = [] }
"""
BACKEND = """
from wheels import write_wheel


def build_editable(folder, config_settings=None, metadata_directory=None):
    return write_wheel(folder, "textedit_bench", "1", "small", {"textedit-bench": "textedit_bench:main"})
"""
WORKSHOP = PROJECT.replace("textedit-bench", "textedit-workshop").replace('["small"]', "[]")
WORKSHOP_BACKEND = """
from wheels import write_wheel


def build_editable(folder, config_settings=None, metadata_directory=None):
    return write_wheel(folder, "textedit_workshop", "1")
"""
WHEELS = '''
"""A wheel without a build system."""

import base64
import hashlib
import os
import zipfile


def write_wheel(folder, name, version, requires=None, scripts=None):
    files = {
        f"{name}.py": "def main():\\n    print('textedit-bench 1')\\n" + "#" * 200_000,
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        + (f"Requires-Dist: {requires}\\nProvides-Extra: dev\\n" if requires else ""),
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    if scripts:
        lines = [f"{command} = {place}" for command, place in scripts.items()]
        files[f"{name}-{version}.dist-info/entry_points.txt"] = "\\n".join(["[console_scripts]", *lines, ""])
    record = f"{name}-{version}.dist-info/RECORD"
    made = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, made), "w") as archive:
        lines = []
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(text.encode())}")
        archive.writestr(record, "\\n".join([*lines, f"{record},,", ""]))
    return made
'''


@dataclass
class Index:
    """A package index with one package, which breaks the connection in the middle of it while ``dropping``."""

    wheel: Path
    dropping: bool = True
    asked: list[str] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Answers the two requests that an installer makes."""
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append(self.path)
                if self.path == "/simple/small/":
                    digest = hashlib.sha256(index.wheel.read_bytes()).hexdigest()
                    link = f'<a href="/{index.wheel.name}#sha256={digest}">{index.wheel.name}</a>'
                    self._answer(link.encode(), "text/html", 1.0)
                elif self.path == f"/{index.wheel.name}":
                    share = 0.5 if index.dropping else 1.0
                    self._answer(index.wheel.read_bytes(), "application/octet-stream", share)
                else:
                    self.send_error(404)

            do_HEAD = do_GET

            def _answer(self, content: bytes, kind: str, share: float) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content[: int(len(content) * share)])
                self.close_connection = True

            def log_message(self, *_words: object) -> None:
                pass

        return Handler


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Index, str]]:
    """The index and its address."""
    made: dict[str, Callable[..., str]] = {}
    exec(WHEELS, made)
    found = Index(tmp_path / made["write_wheel"](tmp_path, "small", "1.0"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), found.handler())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found, f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout of a project that is built in no time."""
    root = tmp_path / "house"
    (root / "tools").mkdir(parents=True)
    for name in ("venv.sh", "uv.sh"):
        shutil.copy(ROOT / "tools" / name, root / "tools" / name)
    (root / "workshop").mkdir()
    (root / "constraints.txt").write_text(VERSIONS)
    for folder, project, backend in ((root, PROJECT, BACKEND), (root / "workshop", WORKSHOP, WORKSHOP_BACKEND)):
        for name, text in {"pyproject.toml": project, "backend.py": backend, "wheels.py": WHEELS}.items():
            (folder / name).write_text(text)
    return root


def _build(house: Path, address: str) -> subprocess.CompletedProcess[str]:
    """Run the builder with nothing but this index, and no patience."""
    keep = {name: os.environ[name] for name in ("PATH",)}
    told = {"PIP_INDEX_URL": address, "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull, "UV_HTTP_RETRIES": "0"}
    places = {"HOME": str(house), "PYTHON": sys.executable, "UV_NO_CONFIG": "1"}
    return subprocess.run(
        ["tools/venv.sh"], cwd=house, env=keep | told | places, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_no_network_then_a_dropped_connection_then_the_same_command_goes_on(house, index, installer):
    found, address = index
    alone = _build(house, "http://127.0.0.1:9/simple")
    assert alone.returncode == 2
    assert "the package index cannot be reached" in alone.stderr.splitlines()[-1]
    assert found.asked == []

    if installer == "uv":  # this index has none
        uv = Path(sys.prefix) / "bin/uv"
        assert uv.exists()
        (house / ".venv/bin/uv").symlink_to(uv)
    dropped = _build(house, address)
    assert dropped.returncode == 2
    assert "or the connection broke" in dropped.stderr.splitlines()[-1], dropped.stderr
    assert any(path.endswith(".whl") for path in found.asked)
    assert not (house / ".venv/.textedit-bench-complete").exists()

    found.dropping = False
    ended = _build(house, address)
    assert ended.returncode == 0, ended.stderr
    assert "bringing" in ended.stdout  # what was there was used
    program = subprocess.run([house / ".venv/bin/textedit-bench"], env={}, capture_output=True, text=True, check=True)
    assert program.stdout == "textedit-bench 1\n"
