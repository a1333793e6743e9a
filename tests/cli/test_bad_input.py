"""Bad input: one line on stderr that names the valid choices and the nearest spelling, exit code 2, no traceback."""

from __future__ import annotations

import re

import pytest

from textedit_bench.registry import dataset_names, list_methods, method_names

METHOD = next(card.name for card in list_methods() if "edit" in card.tasks and card.trains == "per-dataset")
CONTROL = next(card.name for card in list_methods() if card.control)
DATASET = dataset_names()[0]
ON = ("--method", METHOD, "--dataset", DATASET, "--tier", "mini")

CASES = {
    "unknown command": (("bnech",), "unknown command 'bnech'. Did you mean 'bench'?"),
    "unknown option": (("bench", "--dataest", "x"), "unknown option '--dataest'. Did you mean '--dataset'?"),
    "unknown root option": (("--verison",), "unknown option '--verison'. Did you mean '--version'?"),
    "unknown short option": (("methods", "-x"), "unknown option '-x'."),
    "extra word": (("methods", "now"), "Got unexpected extra argument"),
    "bench method": (("bench", "--method", METHOD + "x"), f"unknown method '{METHOD}x'. Did you mean '{METHOD}'?"),
    "bench dataset": (
        ("bench", "--method", METHOD, "--dataset", DATASET + "x"),
        f"unknown dataset '{DATASET}x'. Did you mean '{DATASET}'?",
    ),
    "bench tier": (("bench", *ON[:4], "--tier", "minny"), "'minny'. Did you mean 'mini'? Valid: auto, full, mini"),
    "bench empty item": (("bench", "--method", f"{METHOD},,"), "--method: an item of"),
    "bench images": (("bench", *ON, "--images", "0"), "images: 0 is not valid"),
    "bench images text": (("bench", *ON, "--images", "many"), "Invalid value for '--images'"),
    "bench seed": (("bench", *ON, "--seed", "-1"), "seed: -1 is not valid"),
    "bench strengths": (("bench", *ON, "--strengths", "0,one"), "--strengths: 'one' is not a number"),
    "bench strengths order": (("bench", *ON, "--strengths", "1,0"), "must ascend"),
    "bench setting form": (("bench", *ON, "--set", "epochs"), "--set: 'epochs' is not NAME=VALUE"),
    "bench setting twice": (("bench", *ON, "--set", "a=1", "--set", "a=2"), "--set: 'a' is given twice"),
    "bench setting nan": (("bench", *ON, "--set", "a=NaN"), "--set: NaN is not a finite number"),
    "bench setting minus infinity": (("bench", *ON, "--set", "a=[-Infinity]"), "--set: -Infinity is not a finite"),
    "bench setting too large": (("bench", *ON, "--set", "a=1e999"), "--set: 1e999 is not a finite number"),
    "bench setting of digits": (("bench", *ON, "--set", "a=" + "9" * 5000), "--set: a value of 5000 characters"),
    "bench setting of brackets": (("bench", *ON, "--set", "a=" + "[" * 100_000), "--set: a value of 100000 characters"),
    "bench setting of the training": (("bench", *ON, "--set", "epochs=3"), "belongs to its training"),
    "bench workers": (("bench", *ON, "--engine", "processes", "--workers", "0"), "--workers: 0 is not valid"),
    "tune grid nan": (("tune", *ON, "--grid", "a=[NaN]"), "--grid: NaN is not a finite number"),
    "bench results": (("bench", *ON, "--results", __file__), "is a file"),
    "train two prompts into a file": (
        (
            "train",
            "-m",
            "styleclip-mapper",
            "-d",
            "ffhq",
            "--tier",
            "mini",
            "--prompts",
            "afro;bald",
            "-o",
            "w.safetensors",
        ),
        "--output w.safetensors: a file holds what is trained for one prompt",
    ),
    "check setting": (("check", METHOD, "--set", "no_such=1"), f"unknown setting of {METHOD} 'no_such'."),
    "train method": (("train", "-m", "zzzz", "-d", DATASET), "unknown method 'zzzz'. Valid:"),
    "train dataset": (("train", "-m", METHOD, "-d", "nowhere"), "unknown dataset 'nowhere'."),
    "train card": (("train", "-m", METHOD, "-d", "nowhere.yaml"), "card nowhere.yaml: cannot be read"),
    "train control": (("train", "-m", CONTROL, "-d", DATASET), f"method '{CONTROL}' trains nothing"),
    "train nothing": (("train", "-m", METHOD), "Missing option '--dataset'"),
    "train setting": (
        ("train", *ON, "--set", "no_such_setting=1"),
        f"unknown setting of {METHOD} 'no_such_setting'.",
    ),
    "train stop": (("train", *ON, "--stop-after-minutes", "1"), "keep them apart with --output"),
    "train devices": (("train", *ON, "--devices", "0"), "devices: 0 is not valid; valid: a count from 1"),
    "train strategy": (("train", *ON, "--strategy", "dpp"), "unknown strategy 'dpp'. Did you mean 'ddp'?"),
    "train folder": (("train", *ON, "--folder", __file__), "is not a folder that can be written"),
    "train nan": (
        ("train", *ON, "--stop-after-minutes", "nan", "-o", "a.safetensors"),
        "stop_after_minutes: nan is not valid; valid: numbers from 0",
    ),
    "edit photo": (("edit", "no.png", "old", *ON), "photo no.png: there is no such file"),
    "edit no picture": (("edit", __file__, "old", *ON), "cannot be read as a picture"),
    "edit method": (("edit", "no.png", "old", "-m", "x", "-d", DATASET), "unknown method 'x'."),
    "edit tier": (("edit", "no.png", "old", *ON[:4], "-t", "ful"), "Did you mean 'full'?"),
    "edit strength": (("edit", "no.png", "old", *ON, "--strength", "-1"), "--strength: -1.0 is out of range"),
    "edit nan": (("edit", "no.png", "old", *ON, "--strength", "nan"), "--strength: nan is out of range"),
    "edit strengths": (("edit", "no.png", "old", *ON, "--strength", "1,2"), "several need --grid"),
    "edit format": (("edit", "no.png", "old", *ON, "-o", "a.bmpp"), "unknown format '.bmpp'. Valid: .png"),
    "edit folder": (("edit", "no.png", "old", *ON, "-o", "/nowhere/a.png"), "the folder /nowhere does not exist"),
    "edit image id": (("edit", "evaluation-999999", "old", *ON), "split evaluation"),
    "assets command": (
        ("assets", "lst"),
        "unknown command 'lst'. Did you mean 'list'? Valid: add, convert, fetch, list, verify",
    ),
    "assets source": (("assets", "convert", "a.pt", "b.safetensors"), "source a.pt: there is no such file"),
    "assets target": (("assets", "convert", __file__, "b.pt"), "unknown format '.pt'. Valid: .safetensors"),
    "check not installed": (("check", "my-own"), "install its package first: pip install -e FOLDER"),
    "assets no weights": (("assets", "convert", __file__, "b.safetensors"), "not a weights file in any known format"),
    "worlds nothing": (("worlds",), "Missing command. See: textedit-bench worlds --help"),
    "worlds kind": (("worlds", "sheet", "-d", DATASET, "--kind", "smples"), "Did you mean 'samples'?"),
    "worlds number": (("worlds", "sheet", "-d", DATASET, "-n", "0"), "--number: 0 is out of range"),
    "worlds role": (("worlds", "train", "orcale", "-d", DATASET), "Did you mean 'oracle'?"),
    "worlds further": (
        ("worlds", "train", "oracle", "features", "-d", DATASET, "--further"),
        "--further: role 'features' always starts from nothing; valid: clip,",
    ),
    "worlds output": (("worlds", "train", "-d", DATASET, "-o", __file__), "is not a folder that can be written"),
    "score method": (("score", "-m", METHOD + "x"), f"Did you mean '{METHOD}'?"),
    "edit empty prompt": (("edit", "evaluation-00000", " ", *ON), "prompt: it is empty; valid:"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_line_and_exit_code_2(run, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    words, message = CASES[case]
    ended = run(*words)
    assert message in ended.err
    assert ended.code == 2
    assert ended.out == ""
    assert re.fullmatch(r"textedit-bench: [^\n]*\n", ended.err)
    assert list(tmp_path.iterdir()) == []


def test_every_valid_name_is_in_the_line(run):
    err = run("bench", "--method", "zz").err
    assert all(name in err for name in method_names())


def test_no_words_at_all_show_the_help_as_bad_input(run):
    ended = run()
    assert ended.code == 2
    assert "Commands:" in ended.out
