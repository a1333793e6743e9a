"""`new-method` ends with commands that can be pasted."""

from __future__ import annotations

import pytest

from textedit_bench.plugins import KINDS
from textedit_bench.registry import dataset_names


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_commands_are_those_of_the_readme_on_an_installed_data_set(run, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    ended = run("new-method", "zz-new", "--kind", kind)
    commands = [line.strip() for line in ended.err.partition("Next: ")[2].splitlines()]
    readme = (tmp_path / "zz-new/README.md").read_text().partition("```\n")[2].partition("\n```")[0]
    assert commands == readme.replace("-e . ", "-e ./zz-new ").splitlines()
    assert commands[-1].rpartition("--dataset ")[2] in dataset_names()
