"""``generate``, on a data set of flat pictures, by a method that draws their brightness."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.bench.shards import BATCH
from textedit_bench.domain import Domain
from textedit_bench.editor import Editor, Latents
from textedit_bench.info import MethodInfo
from textedit_bench.registry import load_dataset

CARD = """
name: flat
title: Flat pictures
kind: object
neutral: a picture
tiers:
  mini:
    resolution: 4
    networks: {generator: flat.pt}
    splits: {evaluation: 5}
    prompts: [{id: bright, target: a bright picture, phrase: bright}]
"""


class Flat:
    """Generator of pictures of one shade."""

    batches: ClassVar[list] = []

    def synthesize(self, latents):
        self.batches.append(len(latents))
        return latents.codes[:, :, :1, None].expand(-1, 3, 4, 4)


class FlatDomain(Domain):
    generator = Flat()


class Draw(Editor):
    """Shades that are drawn from the seed."""

    info = MethodInfo("draw", "Draw", "", "", "x:y", "w+", "none", tasks=("generate",), settings={"scale": 0.1})
    seen: ClassVar[list] = []

    def edit(self, latents, prompt, strength=1.0):
        raise AssertionError("this method only generates")

    def generate(self, prompt, n, seed=0):
        self.seen.append(prompt)
        shades = torch.rand(n, 1, 1, generator=torch.Generator().manual_seed(seed))
        return Latents(shades * self.settings["scale"], "w+")


@pytest.fixture
def flat(monkeypatch, tmp_path):
    """The folder of the test, with the method in place of the registered ones."""
    (tmp_path / "flat.yaml").write_text(CARD)
    domain = FlatDomain(load_dataset(tmp_path / "flat.yaml"), "mini")
    monkeypatch.setattr("textedit_bench.domain.load_domain", lambda *_: domain)
    monkeypatch.setattr("textedit_bench.registry.method_info", lambda _: Draw.info)
    monkeypatch.setattr("textedit_bench.registry.load_method", lambda _: Draw)
    monkeypatch.setattr(Draw, "seen", [])
    monkeypatch.setattr(Flat, "batches", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


ON = ("-m", "draw", "-d", "flat")


def _shades(folder, n):
    return [int(np.asarray(Image.open(folder / f"{i:03d}.png"))[0, 0, 0]) for i in range(n)]


def test_pictures_and_their_sheet(run, flat):
    ended = run("generate", "very bright", *ON, "-n", "5", "--set", "scale=1.0", "-o", "made/here")
    assert (ended.code, ended.out) == (0, "made/here/sheet.png\n")
    drawn = torch.rand(5, 1, 1, generator=torch.Generator().manual_seed(0)).flatten()
    wanted = [round((float(v) + 1) * 127.5) for v in drawn]
    assert _shades(flat / "made" / "here", 5) == wanted
    sheet = np.asarray(Image.open(flat / "made" / "here" / "sheet.png"))
    assert all((sheet == shade).all(-1).sum() > 1000 for shade in wanted)
    assert Draw.seen[-1].phrase == "very bright"


def test_the_seed_decides(run, flat):
    for folder, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run("generate", "bright", *ON, "-n", "3", "--seed", seed, "--set", "scale=1.0", "-o", folder).code == 0
    assert _shades(flat / "a", 3) == _shades(flat / "b", 3) != _shades(flat / "c", 3)


def test_many_pictures_are_made_in_batches_and_are_the_same(run, flat):
    assert run("generate", "bright", *ON, "-n", "30", "--set", "scale=1.0", "-o", "many").code == 0
    assert Flat.batches == [BATCH, 30 - BATCH]
    drawn = torch.rand(30, 1, 1, generator=torch.Generator().manual_seed(0)).flatten()
    assert _shades(flat / "many", 30) == [round((float(v) + 1) * 127.5) for v in drawn]


def test_fewer_pictures_replace_all_of_an_earlier_run_and_nothing_else(run, flat):
    folder = flat / "made"
    folder.mkdir()
    own = [folder / name for name in ("020.png", "my-005.png", "5.png", "notes.txt")]
    for file in own:
        file.touch()
    for n in ("8", "4"):
        assert run("generate", "bright", *ON, "-n", n, "-o", "made").code == 0
    wanted = {"sheet.png", *(f"{i:03d}.png" for i in range(4)), *(file.name for file in own)}
    assert {file.name for file in folder.iterdir()} == wanted


def test_numbered_pictures_without_a_sheet_are_not_replaced(run, flat):
    folder = flat / "photos"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i:03d}.png").touch()
    ended = run("generate", "bright", *ON, "-n", "4", "-o", "photos")
    assert ended.code == 2 and "was not written by an earlier run" in ended.err
    assert {(file.name, file.stat().st_size) for file in folder.iterdir()} == {(f"{i:03d}.png", 0) for i in range(6)}


def test_json_names_every_file(run, flat):
    told = json.loads(run("generate", "bright", *ON, "-n", "2", "--json").out)
    assert told["images"] == ["generated/000.png", "generated/001.png"]
    assert told["sheet"] == "generated/sheet.png" and told["seed"] == 0 and told["prompt"] == "bright"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("bright", "-n", "0"), "-n: 0"),
        (("bright", "--seed", "-1"), "--seed: -1"),
        (("", "-n", "2"), "prompt: it is empty"),
        (("bright", "-o", "file"), "file"),
        (("bright", "--set", "scales=1"), "scale"),
    ],
)
def test_bad_input_is_one_line_and_generates_nothing(run, flat, words, told):
    (flat / "file").touch()
    ended = run("generate", *words, *ON)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err and ended.err.count("\n") == 1
    assert Draw.seen == []


def test_a_method_that_only_generates_does_not_edit(run, flat):
    ended = run("edit", "evaluation-2", "bright", *ON)
    assert ended.code == 2
    assert "'draw' does not edit; its tasks: generate" in ended.err
