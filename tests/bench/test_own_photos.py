"""A bench of photos of a user's own: one is enough, and what needs more is left out with a note."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import lmdb
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from textedit_bench.bench.inputs import LEAST_REFERENCE
from textedit_bench.cli.main import main
from textedit_bench.domain import load_domain
from textedit_bench.testing.toy import write_toy_dataset

NOTE = "no metric compares with real photos"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The path of a card with networks and judges; its splits are 8, 8 and 16."""
    return write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)


def encoded(number: int) -> bytes:
    draw = np.random.default_rng(number)
    buffer = io.BytesIO()
    Image.fromarray(draw.integers(0, 256, (40, 40, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def folder(root: Path, n: int, card: Path) -> Path:
    (root / "photos").mkdir()
    for number in range(n):
        (root / "photos" / f"{number:03d}.png").write_bytes(encoded(number))
    return root / "photos"


def archive(root: Path, n: int, card: Path) -> Path:
    with zipfile.ZipFile(root / "photos.zip", "w") as written:
        for number in range(n):
            written.writestr(f"{number:03d}.png", encoded(number))
    return root / "photos.zip"


def lsun(root: Path, n: int, card: Path) -> Path:
    with lmdb.open(str(root / "val_lmdb"), map_size=2**24).begin(write=True) as transaction:
        for number in range(n):
            transaction.put(hashlib.sha1(str(number).encode()).hexdigest().encode(), encoded(number))
    return root / "val_lmdb"


def codes(root: Path, n: int, card: Path) -> Path:
    generator = load_domain(str(card)).generator
    drawn = torch.randn(n, generator.num_rows, generator.w_dim, generator=torch.Generator().manual_seed(0))
    torch.save(drawn, root / "codes.pt")
    return root / "codes.pt"


def bench(toy: Path, source: Path, results: Path, *more: str) -> int:
    words = ("bench", "-m", "no-edit", "-d", str(toy), "--source", str(source), "--strengths", "0,1")
    return main((*words, "--prompts", "bright top", "--no-controls", "--results", str(results), *more))


@pytest.mark.parametrize("write", [folder, archive, lsun, codes])
def test_a_few_photos_of_any_kind_make_a_table_without_what_needs_others(toy, tmp_path, capsys, write):
    assert bench(toy, write(tmp_path, 5, toy), tmp_path / "results") == 0
    assert NOTE in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "results" / "mini" / "table.csv")
    assert table["images"].tolist() == [5]
    assert "kid_inversion" in table and "lpips" in table and "kid_real" not in table
    assert NOTE in (tmp_path / "results" / "mini" / "table.md").read_text()


@pytest.mark.parametrize("there", [1, 2, 7, 9])
def test_any_number_of_photos_from_one_on_will_do(toy, tmp_path, there):
    assert bench(toy, folder(tmp_path, there, toy), tmp_path / "results") == 0
    assert pd.read_csv(tmp_path / "results" / "mini" / "table.csv")["images"].tolist() == [min(there, 8)]


def test_photos_that_cannot_be_used_are_left_out_where_no_number_was_asked(toy, tmp_path, capsys):
    source = folder(tmp_path, 4, toy)
    (source / "002.png").write_bytes(b"no picture")
    assert bench(toy, source, tmp_path / "results") == 0
    assert "NOT the standard protocol: 3 images" in capsys.readouterr().out
    assert bench(toy, source, tmp_path / "results", "--images", "4") == 2
    assert "002.png (not a picture" in capsys.readouterr().err


def test_more_photos_than_there_are_is_answered_with_their_number(toy, tmp_path, capsys):
    assert bench(toy, folder(tmp_path, 4, toy), tmp_path / "results", "--images", "6") == 2
    said = capsys.readouterr().err
    assert "images: 6 asked" in said and "has 4; valid: 1 to 4" in said
    assert not (tmp_path / "results").exists()


def test_enough_photos_apart_from_the_edited_ones_are_compared_with(toy, tmp_path, capsys):
    card = tmp_path / "card.yaml"
    card.write_text(toy.read_text().replace("train: 16", f"train: {LEAST_REFERENCE}"))
    for file in toy.parent.glob("*.safetensors"):
        (tmp_path / file.name).symlink_to(file)
    for there, known in ((16 + LEAST_REFERENCE - 1, False), (16 + LEAST_REFERENCE, True)):
        place = tmp_path / str(there)
        place.mkdir()
        assert bench(card, folder(place, there, card), place / "results", "--images", "4") == 0
        assert (NOTE in capsys.readouterr().out) is not known
        assert ("kid_real" in pd.read_csv(place / "results" / "mini" / "table.csv")) is known


def test_a_run_on_few_photos_can_be_done_again_from_its_manifest(toy, tmp_path, capsys):
    assert bench(toy, folder(tmp_path, 3, toy), tmp_path / "results") == 0
    (manifest,) = (tmp_path / "results" / "mini").glob("*/no-edit/*/manifest.json")
    assert json.loads(manifest.read_text())["identity"]["images"]["count"] == 3
    assert main(("bench", "--from-manifest", str(manifest), "--results", str(tmp_path / "again"))) == 0
    assert "every stored edit, picture and record is the same" in capsys.readouterr().out
