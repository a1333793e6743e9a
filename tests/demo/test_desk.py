"""What the demo computes and holds, without a browser and without Gradio."""

from __future__ import annotations

import base64
import io
import re
import shlex
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.cli.main import main
from textedit_bench.data.pixels import to_uint8
from textedit_bench.demo import STRENGTHS
from textedit_bench.demo import desk as desk_module
from textedit_bench.demo.desk import Desk, Shown, Sweep, command_line
from textedit_bench.domain import load_domain
from textedit_bench.editor import Editor
from textedit_bench.errors import UserError
from textedit_bench.metrics.suite import Suite
from textedit_bench.ready import prompt_with_truth
from textedit_bench.report.html import template_macros

PHOTO = "evaluation-00001"


def _pixels(uri):
    kind, _, data = uri.partition(";base64,")
    assert kind == "data:image/webp"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_list_of_methods_waits_for_no_training_library():
    code = (
        "import sys; from textedit_bench.demo.desk import Desk; from textedit_bench.domain import load_domain; "
        "assert len(Desk(load_domain('ffhq', 'mini'), 'ffhq').methods('edit')) > 5; "
        "sys.exit('pytorch_lightning' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code]).returncode == 0


def test_a_text_is_computed_once_for_all_strengths_and_held(desk, work):
    first = desk.sweep(PHOTO, "bright top", "shift")
    assert desk.sweep(PHOTO, " Bright top. ", "shift") is first  # the same prompt
    assert [strengths for _, strengths in work.sweeps] == [STRENGTHS]
    assert len({one.picture for one in first.shown}) == len(STRENGTHS)
    desk.sweep(PHOTO, "something else", "shift")
    desk.sweep("evaluation-00002", "bright top", "shift")
    assert len(work.sweeps) == 3


def test_what_is_held_is_bounded(toy_card, work, monkeypatch):
    monkeypatch.setattr(desk_module, "SWEEPS", 2)
    monkeypatch.setattr(desk_module, "PHOTOS", 2)
    desk = Desk(load_domain(toy_card, "mini"), str(toy_card))
    for number in range(3):
        desk.sweep(f"evaluation-0000{number}", "bright top", "shift")
    assert len(desk._sweeps) == len(desk._held) == 2
    desk.sweep("evaluation-00000", "bright top", "shift")
    assert len(work.sweeps) == 4


def test_pictures_are_those_of_the_editor_and_figures_those_of_the_suite(desk):
    held, latents, sweep = desk.photo(PHOTO), desk.latents(PHOTO), desk.sweep(PHOTO, "bright top", "shift")
    with torch.no_grad():
        codes = latents.with_codes(latents.codes + STRENGTHS[3])
        image = desk.domain.generator.synthesize(codes)
    assert np.array_equal(_pixels(sweep.shown[3].picture), to_uint8(image)[0])
    columns = Suite(desk.domain).score_batch(
        photos=held[0].images,
        inversions=desk.domain.generator.synthesize(latents).detach(),
        edits=image,
        prompt=prompt_with_truth(desk.domain, "bright top"),
        factors=held[0].factors,
    )
    figures = dict(sweep.shown[3].figures)
    assert figures["CLIP score ↑"] == f"{columns['clip_score'].values[0]:.2f}"
    assert any(name.startswith("Success") for name in figures)
    assert not any("in loop" in name for name in figures)


def test_the_oracles_reading_is_there_where_the_truth_is_known(desk):
    assert all(one.reading.startswith("top: ") for one in desk.sweep(PHOTO, "bright top", "shift").shown)
    assert all(one.reading == "" for one in desk.sweep(PHOTO, "a purple toy", "shift").shown)


def test_a_refusal_and_missing_weights_are_said_in_the_card(desk, work):
    assert "it serves <b>nothing</b>" in desk.sweep(PHOTO, "bright top", "fussy").refusal
    assert desk.sweep(PHOTO, "bright top", "raw").refusal == "method 'raw' has no trained weights"
    assert work.sweeps == [] and len(desk._sweeps) == 0  # it may be trained meanwhile
    assert dict(desk.methods("edit")) == {
        "shift": "",
        "fussy": "",
        "raw": "not trained here",
    }


def test_a_method_without_its_authors_files_says_so_in_the_list(desk, work, monkeypatch):
    monkeypatch.setattr(Editor, "lacks", lambda self: "generator.pth is missing" if self.info.name == "fussy" else None)
    assert dict(desk.methods("edit"))["fussy"] == "its authors' files are missing"


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000, "a\0b"])
def test_a_text_that_is_none_is_an_error(desk, text):
    with pytest.raises(UserError):
        desk.sweep(PHOTO, text, "shift")


@pytest.mark.parametrize("name", ["", "nothing", "evaluation-99999", "evaluation-x", "upload-0", "../etc-1"])
def test_a_photo_that_is_not_there_is_an_error(desk, name):
    with pytest.raises(UserError):
        desk.sweep(name, "bright top", "shift")


def test_an_upload_is_a_photo_until_it_is_forgotten(desk, tmp_path, monkeypatch):
    file = tmp_path / "my photo.png"
    Image.new("RGB", (40, 30), "teal").save(file)
    name = desk.upload(file)
    file.unlink()
    assert desk.latents(name).ids == ("my photo",)  # as for edit: randomness of methods may come from it
    shown = desk.sweep(name, "bright top", "shift").shown
    assert shlex.split(shown[0].command)[-2:] == ["my photo.png", "bright top"]
    assert "no ground truth" in dict(shown[0].figures).values()
    assert desk.picture(name).startswith("data:image/webp;base64,")
    for shade in range(desk_module.PHOTOS):
        Image.new("RGB", (20, 20), (shade, 0, 0)).save(file)
        desk.upload(file)
    with pytest.raises(UserError, match="upload it again"):
        desk.picture(name)
    with pytest.raises(UserError, match="upload it again"):  # not a method's refusal, though codes are still held
        desk.sweep(name, "bright top", "shift")


def test_of_several_faces_the_largest_is_taken_and_the_command_says_so(desk, tmp_path, monkeypatch):
    faces = []

    def own_photo(domain, path, *, face):
        faces.append(face)
        return replace(domain.photos("evaluation", 1), factors=None)

    monkeypatch.setattr(desk_module, "is_aligned", lambda domain: True)
    monkeypatch.setattr(desk_module, "own_photo", own_photo)
    words = shlex.split(desk.sweep(desk.upload(tmp_path / "us.png"), "bright top", "shift").shown[1].command)
    assert faces == [0] and words[words.index("--face") + 1] == "0" and words[-2] == "us.png"


def test_an_upload_that_is_no_picture_names_the_file_alone(desk, tmp_path):
    file = tmp_path / "notes.png"
    file.write_text("no picture")
    with pytest.raises(UserError, match=r"notes\.png") as raised:
        desk.upload(file)
    assert str(tmp_path) not in str(raised.value)


def test_generation_is_the_editors(desk):
    sweep = desk.generate("bright top", "shift", 3, 7)
    assert len({one.picture for one in sweep.shown}) == 3
    assert shlex.split(sweep.shown[0].command)[-5:] == ["-n", "3", "--seed", "7", "bright top"]
    for n, seed in ((0, 0), (9, 0), (1, -1)):
        with pytest.raises(UserError, match="1 to 8 pictures"):
            desk.generate("bright top", "shift", n, seed)


@pytest.mark.parametrize("text", ["it's; rm -rf ~", "$(date)", "-n", 'say "hi"', "a\nb", "--"])
def test_a_command_line_reaches_the_program_word_by_word(text):
    words = shlex.split(command_line("edit", {"--strength": 1.5}, ["photo.png", text]))
    assert words[:4] == ["textedit-bench", "edit", "--strength", "1.5"] and words[-2:] == ["photo.png", text]
    assert ("--" in words[4:-2]) == text.startswith("-")


def test_the_command_makes_the_picture_that_is_shown(tmp_path):
    desk = Desk(load_domain("ffhq", "mini"), "ffhq")
    for one in (desk.sweep(PHOTO, "blond hair", "ffclip").shown[3], desk.sweep(PHOTO, "-dark hair", "ffclip").shown[3]):
        program, *words = shlex.split(one.command)
        file = tmp_path / "edit.png"
        assert program == "textedit-bench" and main(["edit", "--output", str(file), *words[1:]]) == 0
        assert np.array_equal(np.array(Image.open(file)), _pixels(one.picture))
    refusal = desk.sweep(PHOTO, "purple eyelashes, blue nose", "styleclip-mapper").refusal  # and it did not train
    assert refusal.endswith(
        "--method styleclip-mapper --dataset ffhq --tier mini --prompts 'purple eyelashes, blue nose;'"
    )


def test_every_text_is_escaped():
    evil = "<script>alert(1)</script>\"'"
    page = template_macros("parts.html", "textedit_bench.demo")
    shown = tuple(Shown("data:,", evil, strength, ((evil, evil),), evil) for strength in STRENGTHS)
    html = page.cards([Sweep(evil, shown), Sweep(evil, refusal=evil)], 1.0) + page.pictures(Sweep(evil, shown))
    html += page.notice(evil) + page.strip([(evil, "data:,")])
    assert "<script" not in html and "&#34;&#39;" in html and not re.search(r"[^=]\"'", html)
    assert html.count('data-strength="1.0">') == 1 and html.count('" hidden>') == len(STRENGTHS) - 1
