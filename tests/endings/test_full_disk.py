"""Where no file can be written any more, every command says so in one line, and what was there before is as it was.

A limit on the size of files stands for the disk: the kernel refuses the write in the same place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from textedit_bench.testing import write_toy_dataset

OLD = b"what was there before"
TOY = ["-d", "{toy}", "-t", "mini"]
FEW = ["--images", "2", "--strengths", "0,1", "--threads", "1"]
TRAINED = ["--set", "epochs=1", "--set", "steps_per_epoch=2", "--set", "num_codes=8", "--set", "batch_size=2"]
MAPPER = ["--set", "steps=2", "--set", "num_codes=8", "--set", "validation_codes=2"]

COMMANDS: dict[str, tuple[list[str], str]] = {
    "edit": (["edit", "photo.png", "bright top", "-m", "random-direction", *TOY, "-o", "old.png"], "old.png"),
    "edit a grid": (
        ["edit", "photo.png", "bright top", "-m", "random-direction", *TOY, "--grid", "-o", "old.webp"],
        "old.webp",
    ),
    "edit that trains": (
        ["edit", "photo.png", "bright top", "-m", "styleclip-mapper", *TOY, "-o", "old.png", *MAPPER],
        "old.png",
    ),
    "generate": (
        ["generate", "bright top", "-m", "styleclip-optimization", *TOY, "--set", "steps=1", "-n", "2", "-o", "out"],
        "old.png",
    ),
    "train": (["train", "-m", "ffclip", *TOY, "-o", "old.safetensors", *TRAINED], "old.safetensors"),
    "bench": (["bench", "-m", "random-direction", *TOY, *FEW, "--prompts", "bright top"], "old.png"),
    "score": (["score", "-m", "random-direction", *TOY, *FEW, "--results", "stored"], "old.png"),
    "score folders": (
        ["score", *TOY, "--source", "a", "--edited", "b", "--prompt", "bright top", "-o", "old.csv"],
        "old.csv",
    ),
    "score folders for their statistics": (
        ["score", *TOY, "--source", "a", "--edited", "b", "--prompt", "bright top", "--export", "old.npz"],
        "old.npz",
    ),
    "report": (["report", "--results", "stored", "-o", "old.html"], "old.html"),
    "tune": (["tune", "-m", "styleclip-optimization", *TOY, *FEW, "--grid", "steps=[1]"], "old.png"),
    "reproduce": (["reproduce", "mine.yaml", "--tier", "mini", "--threads", "1"], "old.png"),
    "convert": (["assets", "convert", "generator.pt", "old.safetensors"], "old.safetensors"),
    "add": (["assets", "add", "mine", "generator.pt", "--licence", "MIT"], "old.png"),
    "worlds sheet": (["worlds", "sheet", "-d", "{toy}", "-n", "4", "-o", "old.png"], "old.png"),
    "new-method": (["new-method", "my-method"], "old.png"),
    "invert": (["datasets", "invert", "-d", "{real}", "-t", "mini", "-n", "2"], "old.png"),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> dict[str, Path]:
    """Data sets and one network, shared by all."""
    root = tmp_path_factory.mktemp("stored")
    toy = write_toy_dataset(root / "toy", judges=True)
    (root / "photos").mkdir()
    for number in range(8):
        levels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(levels).save(root / "photos" / f"{number}.png")
    card = yaml.safe_load(toy.read_text())
    del card["tiers"]["mini"]["world"]
    card["tiers"]["mini"]["source"] = {"kind": "folder", "path": str(root / "photos")}
    networks = card["tiers"]["mini"]["networks"]
    card["tiers"]["mini"]["networks"] = {r: str(toy.parent / networks[r]) for r in ("generator", "encoder", "clip")}
    card["tiers"]["mini"]["splits"] = {"evaluation": 8}
    (root / "real.yaml").write_text(yaml.safe_dump(card))
    return {"toy": toy, "real": root / "real.yaml", "root": root}


def _furnish(folder: Path) -> None:
    """What the commands read, and what they are asked to replace."""
    from textedit_bench.models.stylegan2 import Generator

    for name in ("a", "b"):
        (folder / name).mkdir()
        for number in range(3):
            levels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / name / f"{number}.png")
    Image.fromarray(levels).save(folder / "photo.png")
    generator = Generator(resolution=16, z_dim=8, w_dim=8, n_mlp=2, channels={4: 8, 8: 8, 16: 8})
    torch.save({"g_ema": generator.state_dict()}, folder / "generator.pt")
    for ending in ("png", "webp", "csv", "npz", "html", "safetensors"):
        (folder / f"old.{ending}").write_bytes(OLD)


@pytest.mark.parametrize("command", COMMANDS)
def test_one_line_and_nothing_is_lost(start, stored, tmp_path, command):
    words, kept = COMMANDS[command]
    words = [word.format(**stored) for word in words]
    _furnish(tmp_path)
    if command in ("report", "score"):
        first = start("bench", "-m", "random-direction", "-d", stored["toy"], "-t", "mini", *FEW, "--results", "stored")
        assert first.wait() in (0, 1), first.text()
    if command == "reproduce":
        (tmp_path / "mine.yaml").write_text(_experiment(stored["toy"]))
    before = _files(tmp_path)
    ended = start(*words, largest=100)
    code = ended.wait()
    assert code in (1, 2), ended.text()
    assert "Traceback" not in ended.text(), ended.text()
    assert any(words in ended.text() for words in ("disk is full", "cannot be written", "File too large")), ended.text()
    assert (tmp_path / kept).read_bytes() == OLD
    after = _files(tmp_path)
    assert {name: content for name, content in after.items() if name in before} == before
    left = [name for name in after if name not in before and not name.startswith("log-")]
    assert [name for name in left if not _is_whole(tmp_path / name)] == []


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "log-" not in path.name
    }


def _is_whole(path: Path) -> bool:
    """Whether a file that was written is not a piece of one."""
    return path.stat().st_size < 100 and not path.name.endswith((".part", ".tmp"))


def _experiment(toy: Path) -> str:
    facts = {"name": "mine", "title": "Mine", "question": "Is it?", "citation": "Nobody"}
    measure = [{"kind": "scores", "metrics": ["lpips"]}]
    asked = {"datasets": [str(toy)], "methods": ["random-direction"], "measure": measure}
    return yaml.safe_dump({**facts, **asked, "images": 3})
