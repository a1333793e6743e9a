"""Threads that wait sleep: OpenMP is told before torch is imported, whatever is started; a user's own word counts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from textedit_bench import waiting

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"textedit_bench": ".", "textedit_methods": "methods", "textedit_workshop": "workshop"}
"""Packages whose modules import torch, and their source roots; Python runs a package's own file before any of them."""
POLICY = waiting.POLICY
SPY = f"""
import os, sys

class Spy:
    def find_spec(self, name, *_):
        if name == "torch":
            print("policy", os.environ.get({POLICY!r}), flush=True)
            os._exit(0)

sys.meta_path.insert(0, Spy())
"""


def _told(code: str, given: str | None = None) -> list[str]:
    """What a program says until it asks for torch, which ends it with the policy as its last line."""
    environment = {name: value for name, value in os.environ.items() if name not in (POLICY, waiting.SPINS)}
    if given is not None:
        environment[POLICY] = given
    ended = subprocess.run([sys.executable, "-P", "-c", SPY + code], env=environment, capture_output=True, text=True)
    return ended.stdout.splitlines()


def _policy_at_torch(code: str, given: str | None = None) -> str:
    """The policy at the moment at which a program asks for torch; empty where it never does."""
    return next((line.split()[1] for line in _told(code, given) if line.startswith("policy ")), "")


def _programs() -> list[str]:
    """Modules that ``python -m`` starts."""
    found = []
    for package, root in SOURCES.items():
        for path in sorted((ROOT / root / package).rglob("*.py")):
            if any(
                isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
                for node in ast.parse(path.read_text()).body
            ):
                found.append(".".join(path.relative_to(ROOT / root).with_suffix("").parts))
    return found


PROGRAMS = _programs()
CONSOLE = [point.value for point in entry_points(group="console_scripts") if point.dist.name == "textedit-bench"]


@pytest.mark.parametrize("package", SOURCES)
def test_whatever_is_imported_first_says_how_threads_wait(package):
    assert _policy_at_torch(f"import {package}; import torch") == "PASSIVE"


@pytest.mark.parametrize("package", SOURCES)
def test_what_the_user_says_counts(package):
    assert _policy_at_torch(f"import {package}; import torch", given="ACTIVE") == "ACTIVE"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_says_it_before_torch(program):
    run = f"import runpy; sys.argv = ['x', '--help']; runpy.run_module({program!r}, run_name='__main__')"
    told = _told(run)
    assert told[-1] == "policy PASSIVE" or told[0].strip().lower().startswith("usage: "), "it did its work instead"


def test_the_programs_are_found_and_some_import_torch():
    assert "textedit_bench.cli.main" in PROGRAMS and any(name.startswith("textedit_workshop") for name in PROGRAMS)


@pytest.mark.parametrize("script", CONSOLE)
def test_the_command_line_says_it_before_torch(script):
    module, _, function = script.partition(":")
    run = f"from {module} import {function}; {function}(['bench', '--images', '1', '--device', 'cpu'])"
    assert _policy_at_torch(run) == "PASSIVE"


def test_the_tests_say_it_before_torch():
    run = "import pytest; pytest.main(['-s', '--collect-only', 'tests/models/test_winograd.py'])"
    assert _policy_at_torch(f"os.chdir({str(ROOT)!r}); {run}") == "PASSIVE"


@pytest.mark.parametrize(
    ("load", "crowded"),
    [
        ("0.10 5.00 9.00 1/300 77", False),
        ("0.10 0.10 0.10 9/300 77", True),  # eight busy processes, just started
        ("7.50 3.00 1.00 1/300 77", True),  # caught in the moment in which all of them wait
        ("1.30 3.00 1.00 2/300 77", False),  # what an installation leaves behind
    ],
)
def test_threads_spin_a_moment_where_cores_are_idle(load, crowded, tmp_path, monkeypatch):
    (tmp_path / "loadavg").write_text(load)
    monkeypatch.setattr(waiting, "_LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(waiting.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    environment: dict[str, str] = {}
    monkeypatch.setattr(waiting.os, "environ", environment)
    waiting.choose_waiting()
    assert (environment[POLICY], waiting.SPINS in environment) == ("PASSIVE", not crowded)


@pytest.mark.parametrize("text", ["", "no numbers", "1.0 1.0 1.0"])
def test_a_machine_that_tells_no_load_is_asked_otherwise(text, tmp_path, monkeypatch):
    (tmp_path / "loadavg").write_text(text)
    monkeypatch.setattr(waiting, "_LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(waiting.os, "getloadavg", lambda: (1e6, 0.0, 0.0), raising=False)
    assert waiting.is_crowded()


@pytest.mark.parametrize("name", [POLICY, waiting.SPINS])
def test_one_choice_of_the_user_settles_both(name, monkeypatch):
    environment = {name: "7"}
    monkeypatch.setattr(waiting.os, "environ", environment)
    waiting.choose_waiting()
    assert environment == {name: "7"}
