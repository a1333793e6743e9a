"""Help texts, the version, and that the light commands start without the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import textedit_bench
from textedit_bench.cli.main import app
from textedit_bench.registry import dataset_names, method_info, method_names

HEAVY = ("torch", "torchvision", "lightning", "pytorch_lightning", "pandas", "open_clip", "matplotlib", "numpy")
GROUPS = {group.name: group.typer_instance for group in app.registered_groups}
PLAIN = [(command.name,) for command in app.registered_commands]
COMMANDS = PLAIN + [(name, c.name) for name, group in GROUPS.items() for c in group.registered_commands]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["methods"], ["methods", "--json"], ["datasets"], ["assets", "list"]]
)
def test_light_commands_import_nothing_heavy(words):
    code = f"""
import json, sys
from textedit_bench.cli.main import main
code = main({words!r})
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    exit_code, modules = json.loads(ended.stderr.splitlines()[-1])
    assert exit_code == 0
    assert [name for name in HEAVY if name in modules] == []
    assert "textedit_bench" in modules


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_shows_examples_that_can_be_pasted(run, command):
    ended = run(*command, "--help")
    assert ended.code == 0
    assert "Examples:\n" in ended.out
    examples = [line for line in ended.out.splitlines() if line.startswith("    textedit-bench ")]
    assert examples
    assert all(tuple(line.split()[1 : 1 + len(command)]) == command for line in examples)
    assert not any("METHOD" in line or "DATASET" in line for line in examples)


def test_the_root_help_lists_every_command_with_its_first_line(run):
    out = run("--help").out
    for command in [*GROUPS, *(name for (name,) in PLAIN)]:
        assert any(line.split()[:1] == [command] and len(line.split()) > 2 for line in out.splitlines())


def test_the_version_is_the_packages(run):
    assert run("--version").out == f"textedit-bench {textedit_bench.__version__}\n"


def test_the_examples_name_what_is_installed(run):
    out = run("bench", "--help").out
    cards = [method_info(name) for name in method_names()]
    assert next(card.name for card in cards if "edit" in card.tasks and not card.miniature) in out
    generating = next(card.name for card in cards if "generate" in card.tasks and not card.miniature)
    assert f"--method {generating}" in run("generate", "--help").out
    assert dataset_names()[0] in out
