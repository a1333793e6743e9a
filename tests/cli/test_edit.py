"""``edit`` and ``train``, on a data set of flat pictures whose only code is their brightness."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.domain import Domain, Photos
from textedit_bench.editor import Editor
from textedit_bench.info import MethodInfo
from textedit_bench.registry import load_dataset
from textedit_bench.report import sheet

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
    """Generator and inverter of pictures of one shade."""

    def synthesize(self, latents):
        return latents.codes[:, :, :1, None].expand(-1, 3, 4, 4)

    def encode(self, images):
        return images.mean((1, 2, 3))[:, None, None]


class FlatDomain(Domain):
    generator = inverter = Flat()

    def photos(self, split, n=None, start=0):
        images = torch.full((1, 3, 4, 4), start / 10)
        return Photos(images, (f"{split}-{start}",))


class Brighten(Editor):
    """Adds its strength, scaled by the trained weight."""

    info = MethodInfo("brighten", "B", "", "", "x:y", "w+", "per-dataset", settings={"scale": 0.1, "epochs": 1})
    seen: ClassVar[list] = []
    place = None

    def edit(self, latents, prompt, strength=1.0):
        self.seen.append((prompt, strength))
        return latents.with_codes(latents.codes + strength * self.settings["scale"])

    def fit(self, prompts=None, **options):
        self.seen.append(options)

    def save(self, path):
        path.write_text("weights")

    def load(self, path):
        self.seen.append(("loaded", path))

    def weights_path(self):
        return type(self).place


@pytest.fixture
def flat(monkeypatch, tmp_path):
    """The folder of the test, with the method in place of the registered ones."""
    (tmp_path / "flat.yaml").write_text(CARD)
    domain = FlatDomain(load_dataset(tmp_path / "flat.yaml"), "mini")
    monkeypatch.setattr("textedit_bench.domain.load_domain", lambda *_: domain)
    monkeypatch.setattr("textedit_bench.registry.method_info", lambda _: Brighten.info)
    monkeypatch.setattr("textedit_bench.registry.load_method", lambda _: Brighten)
    monkeypatch.setattr(Brighten, "seen", [])
    monkeypatch.setattr(Brighten, "place", tmp_path / "weights.safetensors")
    (tmp_path / "weights.safetensors").write_text("committed")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ON = ("-m", "brighten", "-d", "flat")


def _shades(path):
    return np.asarray(Image.open(path))[0, ::4, 0].tolist()


def _shade(value):
    return round((value + 1) * 127.5)


def test_a_photo_becomes_a_picture_at_the_default_strength(run, flat):
    Image.new("RGB", (9, 9), (128, 128, 128)).save(flat / "photo.png")
    ended = run("edit", "photo.png", "very bright", *ON, "-o", "out.png")
    assert (ended.code, ended.out) == (0, "out.png\n")
    grey = 128 / 127.5 - 1
    assert _shades("out.png") == [_shade(grey + 0.1)]
    prompt, strength = Brighten.seen[-1]
    assert strength == 1.0
    assert (prompt.phrase, prompt.source, prompt.target) == ("very bright", "a picture", "a picture with very bright")


def test_a_grid_starts_with_photo_and_inversion(run, flat, monkeypatch):
    drawn = []
    original = sheet.draw_row
    monkeypatch.setattr(sheet, "draw_row", lambda *given: drawn.append(given) or original(*given))
    assert run("edit", "evaluation-2", "bright", *ON, "--grid", "--strength", "1,2", "--set", "scale=0.3").code == 0
    [(title, name, labels, images)] = drawn
    assert "bright" in title and "flat" in title and "mini" in title and name == "evaluation-2"
    assert list(labels) == ["photo", "inversion", "strength 1", "strength 2"]
    assert images[:, 0, 0, 0].tolist() == pytest.approx([0.2, 0.2, 0.5, 0.8])
    picture = np.asarray(Image.open("edit.png"))
    middle = picture[-60]  # through the row of pictures
    found = [shade for shade in (_shade(v) for v in (0.2, 0.5, 0.8)) if (middle == shade).all(1).sum() > 50]
    assert len(found) == 3


def test_json_tells_what_was_made(run, flat):
    ended = run("edit", "evaluation-2", "bright", *ON, "--strength", "2", "--json")
    told = json.loads(ended.out)
    assert told["output"] == "edit.png" and told["strengths"] == [2.0] and told["tier"] == "mini"


def test_a_text_that_describes_the_whole_picture_is_taken_as_it_is(run, flat):
    run("edit", "evaluation-2", "a picture of the  sea", *ON)
    prompt, _ = Brighten.seen[-1]
    assert (prompt.phrase, prompt.source, prompt.target) == (
        "a picture of the sea",
        "a picture",
        "a picture of the sea",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing.png", "bright"), "nothing.png"),
        (("evaluation-2", " "), "prompt: it is empty"),
        (("evaluation-2", "bright", "--strength", "-1"), "0 to 100"),
        (("evaluation-2", "bright", "--strength", "much"), "not a number"),
        (("evaluation-2", "bright", "--strength", "1,2"), "--grid"),
        (("card.png", "bright"), "cannot be read"),
        (("grey.png", "bright", "--face", "1"), "--face 1"),
        (("evaluation-2", "bright", "-o", "no/out.png"), "no/out.png"),
        (("evaluation-2", "bright", "--weights", "none.safetensors"), "none.safetensors"),
    ],
)
def test_bad_input_is_one_line_and_edits_nothing(run, flat, words, told):
    (flat / "card.png").write_text("no picture")
    Image.new("RGB", (9, 9)).save(flat / "grey.png")
    ended = run("edit", *words, *ON)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err and ended.err.count("\n") == 1
    assert not Brighten.seen or Brighten.seen[-1][0] == "loaded"


def test_a_method_without_the_task_names_those_that_have_it(run, flat, monkeypatch):
    ended = run("generate", "bright", *ON)
    assert ended.code == 2
    assert "'brighten' does not generate; its tasks: edit" in ended.err


def test_a_prompt_id_is_the_cards_prompt(run, flat):
    run("edit", "evaluation-2", "bright", *ON)
    assert Brighten.seen[-1][0].target == "a bright picture"


def test_weights_of_ones_own_replace_the_committed_ones(run, flat):
    (flat / "own.safetensors").touch()
    run("edit", "evaluation-2", "bright", *ON, "--weights", "own.safetensors")
    assert [str(seen[1]) for seen in Brighten.seen if seen[0] == "loaded"] == ["own.safetensors"]


def test_an_untrained_method_is_bad_input(run, flat):
    (flat / "weights.safetensors").unlink()
    ended = run("edit", "evaluation-2", "bright", *ON)
    assert ended.code == 2
    assert "no trained weights for flat, tier mini" in ended.err


def test_training_starts_afresh_and_puts_its_weights_into_use(run, flat):
    ended = run("train", *ON, "--seed", "3", "--precision", "bf16-mixed", "--set", "epochs=2")
    assert ended.code == 0
    assert Brighten.seen == [{"resume": True, "seed": 3, "precision": "bf16-mixed"}]
    assert (flat / "weights.safetensors").read_text() == "weights"


def test_training_elsewhere_leaves_the_committed_weights_alone(run, flat):
    assert run("train", *ON, "--no-resume", "-o", "own.safetensors").out == "weights: own.safetensors\n"
    assert (flat / "weights.safetensors").read_text() == "committed"
    assert Brighten.seen == [{"resume": False}]


def test_prompts_to_train_on_are_passed_without_their_truth(run, flat, monkeypatch):
    given = []
    monkeypatch.setattr(Brighten, "fit", lambda self, prompts=None, **_: given.append(prompts))
    assert run("train", *ON, "--prompts", "bright;very, very dark").code == 0
    assert [prompt.words for prompt in given[0]] == ["bright", "very, very dark"]
    assert all(prompt.attribute is None for prompt in given[0])
    assert run("train", *ON).code == 0 and given[1] is None


def test_networks_per_prompt_may_go_into_a_folder_and_their_own_may_be_missing(run, flat, monkeypatch):
    monkeypatch.setattr(Brighten, "save", lambda self, path: path.mkdir(parents=True))
    assert run("train", *ON, "-o", "mine").code == 2
    monkeypatch.setattr("textedit_bench.registry.method_info", lambda _: replace(Brighten.info, trains="per-prompt"))
    assert run("train", *ON, "-o", "mine").code == 0 and (flat / "mine").is_dir()
    monkeypatch.setattr(Brighten, "place", flat / "weights" / "flat-mini")
    assert run("train", *ON).code == 0 and (flat / "weights" / "flat-mini").is_dir()


def test_half_a_training_is_never_put_into_use(run, flat):
    ended = run("train", *ON, "--stop-after-minutes", "5")
    assert ended.code == 2
    assert "--output" in ended.err
    assert Brighten.seen == []


def test_an_unwritable_place_is_refused_before_training(run, flat):
    assert run("train", *ON, "-o", "no/own.safetensors").code == 2
    assert Brighten.seen == []


def test_an_interrupted_training_is_130(run, flat, monkeypatch):
    def interrupted(self, prompts=None, **options):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SystemExit(1)  # noqa: B904 - what Lightning does

    monkeypatch.setattr(Brighten, "fit", interrupted)
    assert run("train", *ON).code == 130
    assert (flat / "weights.safetensors").read_text() == "committed"
