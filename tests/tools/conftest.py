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
TOOLS = ["cat", "chmod", "cksum", "cp", "dirname", "echo", "env", "expand", "grep", "ls", "make", "mkdir", "mv", "rm"]
TOOLS += ["pwd", "printf", "sed", "sh", "touch"]

# Answers the questions of tools/venv.sh and notes every venv and pip call. FAKE_VERSION is its version, FAKE_NO_VENV
# makes it lack ensurepip, FAKE_DIE_AT=venv|pip fails there with the work half done, FAKE_KILL_AT=pip kills the builder.
# The constraints that reach an isolated build are noted beside the calls.
FAKE_PYTHON = r"""#!/bin/sh
version=${FAKE_VERSION:-3.11}
case "$*" in
*'print("%d.%d"'*) echo "$version" ;;
*'version_info < (3, 11)'*) [ "${version#*.}" -ge 11 ] ;;
*'import venv, ensurepip'*) [ -z "${FAKE_NO_VENV:-}" ] ;;
'-m pip --version') : ;;
'-m venv '*)
    echo venv >>"$FAKE_LOG"
    mkdir -p "$3/bin"
    [ "${FAKE_DIE_AT:-}" != venv ] || exit 1
    echo home >"$3/pyvenv.cfg"
    cp "$0" "$3/bin/python" ;;
'-m pip install '*)
    echo pip >>"$FAKE_LOG"
    echo "$PIP_CONSTRAINT $PIP_BUILD_CONSTRAINT" >"$FAKE_LOG.constraints"
    [ "${FAKE_KILL_AT:-}" != pip ] || { kill -9 $PPID; exit 1; }
    [ "${FAKE_DIE_AT:-}" != pip ] || exit 1
    printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$(dirname "$0")/textedit-bench"
    chmod +x "$(dirname "$0")/textedit-bench" ;;
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
        """The venv and pip calls since the last look."""
        found = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The build files in an empty folder, and a path with the fake interpreter before the system's tools."""
    root, tools = tmp_path / "a house", tmp_path / "bin"
    (root / "tools").mkdir(parents=True)
    tools.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools/venv.sh"):
        shutil.copy(ROOT / name, root / name)
    for tool in TOOLS:
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    (tools / "python3").write_text(FAKE_PYTHON)
    os.chmod(tools / "python3", 0o755)
    return House(root, tmp_path / "calls", str(tools))
