"""Files that a command would write are checked before it works, and its own input is never one of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textedit_bench.testing import write_toy_dataset


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    return write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Photos, edits and a file called ``file``, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(2):
            levels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(levels).save(tmp_path / folder / f"{number:03d}.png")
    Image.fromarray(levels).save(tmp_path / "photo.png")
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "circle").symlink_to("circle")
    return tmp_path


@pytest.fixture(autouse=True)
def _no_work(monkeypatch):
    """Whatever computes fails the test."""

    def works(*_given, **_named):
        raise AssertionError("it began to work")

    for name in ("domain.Domain.network", "experiments.reproduce._measure_all", "bench.run.open_pool"):
        monkeypatch.setattr(f"textedit_bench.{name}", works)


UNWRITABLE = ["missing/x", "file/x", "circle/x", "/proc/x", "a", "x" * 300, "nul\0l"]
COMMANDS = {
    "edit": (["edit", "photo.png", "bright top", "-m", "random-direction", "-d", "{toy}", "-o", "{out}"], ".png"),
    "convert": (["assets", "convert", "photo.png", "{out}"], ".safetensors"),
    "sheet": (["worlds", "sheet", "-d", "{toy}", "-o", "{out}"], ".png"),
    "scores": (["score", "-d", "{toy}", "--source", "a", "--edited", "b", "--prompt", "x", "-o", "{out}"], ".csv"),
    "export": (
        ["score", "-d", "{toy}", "--source", "a", "--edited", "b", "--prompt", "x", "--export", "{out}"],
        ".npz",
    ),
    "train": (["train", "-m", "ffclip", "-d", "{toy}", "-o", "{out}"], ".safetensors"),
    "report": (["report", "-o", "{out}"], ".html"),
    "generate": (["generate", "x", "-m", "clip2gan", "-d", "{toy}", "-o", "{out}"], "/"),
    "reproduce": (["reproduce", "leaderboard", "--tier", "mini", "--results", "{out}"], "/"),
    "bench": (["bench", "-m", "random-direction", "-d", "{toy}", "--results", "{out}"], "/"),
    "tune": (["tune", "-m", "tedigan", "-d", "{toy}", "--results", "{out}"], "/"),
    "new-method": (["new-method", "my-own", "-o", "{out}"], "/"),
    "checkpoints": (["train", "-m", "ffclip", "-d", "{toy}", "-o", "w.safetensors", "--folder", "{out}"], "/"),
}


@pytest.mark.parametrize("where", UNWRITABLE, ids=lambda where: where[:10].replace("\0", "0"))
@pytest.mark.parametrize("command", COMMANDS)
def test_a_destination_that_cannot_be_written_is_refused_first(run, place, toy, command, where):
    words, ending = COMMANDS[command]
    if ending == "/" and where in ("missing/x", "a"):
        return  # folders that can be made, or are there
    if where == "a":
        os.mkdir(f"{place}/folder{ending}")
        where = "folder"
    given = [word.format(toy=toy, out=f"{where}{ending.rstrip('/')}") for word in words]
    ended = run(*given)
    assert ended.code in (1, 2), ended
    assert ended.err.splitlines()[-1].startswith("textedit-bench: ") and "Traceback" not in ended.err, ended.err


@pytest.mark.parametrize("how", ["itself", "another name", "link", "hard link", "through a linked folder"])
@pytest.mark.parametrize("command", ["edit", "convert", "export"])
def test_no_command_replaces_its_input(run, place, toy, command, how):
    source = {"edit": "photo.png", "convert": "g.safetensors", "export": "s.npz"}[command]
    if not (place / source).exists():
        (place / source).write_bytes(b"content")
    other = place / f"other{Path(source).suffix}"
    if how == "link":
        other.symlink_to(place / source)
    elif how == "hard link":
        os.link(place / source, other)
    elif how == "through a linked folder":
        (place / "linked").symlink_to(place)
    names = {"itself": source, "another name": f"a/../{source}", "through a linked folder": f"linked/{source}"}
    out = names.get(how, other.name)
    scored = ["score", "-d", toy, "--source", "a", "--edited", "b", "--prompt", "x", "--reference", source]
    words = {
        "edit": ["edit", source, "bright top", "-m", "random-direction", "-d", toy, "-o", out],
        "convert": ["assets", "convert", source, out],
        "export": [*scored, "--export", out],
    }[command]
    before = (place / source).read_bytes()
    ended = run(*map(str, words))
    assert ended.code == 2 and source in ended.err and "which it would replace" in ended.err
    assert (place / source).read_bytes() == before


def test_scores_never_lie_among_the_pictures(run, place, toy):
    words = ["score", "-d", str(toy), "--source", "a", "--edited", "b", "--prompt", "x"]
    for option, file in (("-o", "b/000.png"), ("--export", "a/new.npz")):
        ended = run(*words, option, file)
        assert ended.code == 2 and "lies among the pictures" in ended.err
    assert "is --output too" in run(*words, "-o", "same", "--export", "./same").err


def test_generate_replaces_no_pictures_of_somebody_else(run, place, toy):
    ended = run("generate", "x", "-m", "styleclip-optimization", "-d", str(toy), "-o", "a")
    assert ended.code == 2 and "000.png exists already and was not written by an earlier run" in ended.err
