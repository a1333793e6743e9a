"""The page on a trained method shows what `new-method` writes, and commands that parse (tests/plugins runs them)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch
from typer.main import get_command

from textedit_bench.cli.main import app
from textedit_bench.plugins import next_commands, write_skeleton
from textedit_bench.training import LatentData

PAGE = (Path(__file__).resolve().parents[2] / "docs/pages/trained_method.md").read_text(encoding="utf-8")
NAME = "phrase-offset"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    write_skeleton(NAME, "trained", folder)
    return folder / NAME


def test_every_excerpt_is_part_of_its_file(package):
    excerpts = re.findall(r'^```python title="(\S+)"\n(.*?)^```', PAGE, re.M | re.S)
    assert len(excerpts) > 3
    assert [name for name, text in excerpts if text not in (package / name).read_text(encoding="utf-8")] == []


def test_the_table_names_every_file(package):
    named = set(re.findall(r"^\| `([\w./]+)` \|", PAGE, re.M))
    written = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert named == written - {"README.md", "phrase_offset/__init__.py"}


def test_the_commands_are_those_of_new_method_and_parse():
    blocks = "".join(text for title, text in re.findall(r"^```(.*)\n((?s:.*?))^```", PAGE, re.M) if not title)
    assert set(next_commands(NAME, "trained", f"./{NAME}", "ffhq")[:-1]) <= set(blocks.splitlines())
    for line in re.findall(r"^textedit-bench (.*)", blocks, re.M):
        command, *words = shlex.split(line)
        get_command(app).commands[command].make_context(command, words)  # raises; runs nothing


def test_the_page_names_the_keys_of_a_batch():
    batch = next(iter(LatentData(torch.zeros(8, 2, 3), batch_size=2, validation=2).val_dataloader()))
    assert [key for key in batch if f"`{key}` [B" not in PAGE] == []
