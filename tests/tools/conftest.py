"""A copy of the build files with an interpreter that only pretends to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# All that the script may use: a newer python of this machine must not be found.
TOOLS = [
    "cat",
    "chmod",
    "cksum",
    "df",
    "cp",
    "dirname",
    "echo",
    "env",
    "expand",
    "grep",
    "ls",
    "make",
    "mkdir",
    "mv",
    "rm",
]
TOOLS += ["pwd", "printf", "sed", "sh", "touch"]

# Answers the questions of tools/venv.sh as an interpreter and, copied into the environment, as uv; notes every call
# that makes something: venv, uv (fetched by pip), install. FAKE_VERSION is its version, FAKE_NO_VENV makes it lack
# ensurepip, FAKE_NO_UV an index without uv; FAKE_DIE_AT=venv|uv|install fails there with the work half done and the
# words FAKE_WORDS, FAKE_KILL_AT=install kills the builder. What reaches the installer is noted beside the calls.
FAKE_PYTHON = r"""#!/bin/sh
version=${FAKE_VERSION:-3.11}
here=$(dirname "$0")
die_at() {
    [ "${FAKE_DIE_AT:-}" != "$1" ] || { printf '%s\n' "${FAKE_WORDS:-}" >&2; exit 1; }
}
case "$*" in
*'print("%d.%d"'*) echo "$version" ;;
*'version_info < (3, 11)'*) [ "${version#*.}" -ge 11 ] ;;
*'import venv, ensurepip'*) [ -z "${FAKE_NO_VENV:-}" ] ;;
'-m pip --version') : ;;
'-m pip config list') printf '%s\n' "${FAKE_SETTINGS:-}" ;;
'-m venv '*)
    echo venv >>"$FAKE_LOG"
    mkdir -p "$3/bin"
    die_at venv
    echo home >"$3/pyvenv.cfg"
    cp "$0" "$3/bin/python" ;;
'-m pip install '*' uv')
    echo uv >>"$FAKE_LOG"
    die_at uv
    [ -z "${FAKE_NO_UV:-}" ] || { echo 'ERROR: No matching distribution found for uv' >&2; exit 1; }
    cp "$0" "$here/uv" ;;
'pip install --python '* | '-m pip install '*)
    echo install >>"$FAKE_LOG"
    printf '%s\n' "$@" >"$FAKE_LOG.words"
    env | grep -E '^(UV|PIP|SSL)_' >"$FAKE_LOG.variables" || :
    [ "${FAKE_KILL_AT:-}" != install ] || { kill -9 "$(cat "$here/../.textedit-bench-building")"; exit 1; }
    die_at install
    printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$here/textedit-bench"
    chmod +x "$here/textedit-bench" ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@dataclass(frozen=True)
class House:
    """A checkout with a fake interpreter."""

    root: Path
    log: Path
    path: str

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; nothing of the caller's environment reaches it."""
        variables = {"PATH": self.path, "FAKE_LOG": str(self.log), **environment}
        return subprocess.run(command, cwd=self.root, env=variables, capture_output=True, text=True)

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the builder."""
        return self.run("tools/venv.sh", **environment)

    def calls(self) -> list[str]:
        """The calls since the last look that make something."""
        found = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found

    def variables(self) -> dict[str, str]:
        """What reached the last installer."""
        lines = self.log.with_name(f"{self.log.name}.variables").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def installed(self) -> list[str]:
        """What the last installer was asked for."""
        words = self.log.with_name(f"{self.log.name}.words").read_text().splitlines()
        return words[words.index("-e") :]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The build files in an empty folder, and a path with the fake interpreter before the system's tools."""
    root, tools = tmp_path / "a house", tmp_path / "bin"
    (root / "tools").mkdir(parents=True)
    (root / "workshop").mkdir()
    tools.mkdir()
    built_from = ("pyproject.toml", "workshop/pyproject.toml", "constraints.txt")
    for name in ("Makefile", *built_from, "tools/venv.sh", "tools/uv.sh"):
        shutil.copy(ROOT / name, root / name)
    for tool in TOOLS:
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    (tools / "python3").write_text(FAKE_PYTHON)
    os.chmod(tools / "python3", 0o755)
    return House(root, tmp_path / "calls", str(tools))
