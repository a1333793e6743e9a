"""The Makefile: what was typed reaches the command line unchanged, and no target is promised that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NASTY = """it's "quoted"; $(shell touch made) $(touch shelled) `touch ticked` $HOME a\\b"""


def _words(house, *arguments, **environment):
    ended = house.run("make", "-s", *arguments, **environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture
def built(house):
    house.build()
    return house


def test_bench_without_values_asks_for_everything(built):
    assert _words(built, "bench") == ["bench"]


def test_every_value_becomes_its_option(built):
    values = ["METHOD=a,b", "DATASET=c", "TIER=mini", "PROMPTS=red, round; old", "N=3", "SEED=0", "RESULTS=/tmp/r"]
    options = ["--method", "--dataset", "--tier", "--prompts", "--images", "--seed", "--results"]
    expected = zip(options, [value.partition("=")[2] for value in values], strict=True)
    assert _words(built, "bench", *values) == ["bench", *(word for pair in expected for word in pair)]


def test_cards_and_precision_of_a_bench_become_options(built):
    words = ["--device", "cuda", "--devices", "0,1", "--precision", "tf32"]
    assert _words(built, "bench", "DEVICE=cuda", "DEVICES=0,1", "PRECISION=tf32") == ["bench", *words]


@pytest.mark.parametrize("variable", ["METHOD", "DATASET", "TIER", "PROMPTS", "N", "SEED", "RESULTS"])
def test_no_value_is_read_by_make_or_the_shell(built, variable):
    for words in (_words(built, "bench", f"{variable}={NASTY}"), _words(built, "bench", **{variable: NASTY})):
        assert words[2:] == [NASTY]
    assert not {"made", "shelled", "ticked"} & {path.name for path in built.root.iterdir()}


def test_train_passes_its_values(built):
    assert _words(built, "train", "METHOD=a", "DATASET=b") == ["train", "--method", "a", "--dataset", "b"]
    values = ["PROMPTS=red hair; afro", "SEED=1", "LOGGER=wandb", "DEVICE=cuda", "DEVICES=0,1", "STRATEGY=ddp"]
    values.append("PRECISION=bf16-mixed")
    words = [part for value in values for part in (f"--{value.split('=')[0].lower()}", value.partition("=")[2])]
    assert _words(built, "train", "METHOD=a", *values) == ["train", "--method", "a", *words]


@pytest.mark.parametrize("variable", ["PROMPTS", "LOGGER", "STRATEGY"])
def test_no_value_of_train_is_read_by_make_or_the_shell(built, variable):
    assert _words(built, "train", f"{variable}={NASTY}")[2:] == [NASTY]
    assert not {"made", "shelled", "ticked"} & {path.name for path in built.root.iterdir()}


def test_bench_builds_the_environment_when_it_is_missing(house):
    assert _words(house, "bench", "METHOD=a")[-3:] == ["bench", "--method", "a"]
    assert house.calls() == ["venv", "uv", "install"]


def test_a_failing_environment_stops_the_target(house):
    ended = house.run("make", "-s", "bench", FAKE_VERSION="3.8")
    assert ended.returncode != 0
    assert "needs Python 3.11" in ended.stderr
    assert "bench" not in ended.stdout


def test_help_lists_every_target(built):
    makefile = (ROOT / "Makefile").read_text()
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.M).group(1).split()
    assert [line.split()[0] for line in _words(built, "help")] == declared


def test_the_ci_entry_lints_first_and_ends_with_the_tests():
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -eu"
    assert lines[2] == "make --no-print-directory lint"
    assert lines[-1] == "exec make --no-print-directory test"
