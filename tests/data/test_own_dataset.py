"""A folder of pictures, a StyleGAN2 checkpoint and one card make a domain; projection stands in for the encoder."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from textedit_bench.bench.inputs import prepare_inputs
from textedit_bench.bench.shards import Shard
from textedit_bench.bench.store import Store
from textedit_bench.cli.main import main
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.models import Generator

CARD = """\
name: mugs
title: My mugs
kind: object
neutral: a mug
tiers:
  full:
    resolution: 8
    networks: {generator: network.pt}
    source: {kind: folder, path: pictures}
    inversion: {steps: 2, space: w}
    splits: {evaluation: 3, train: 2}
"""


@pytest.fixture
def card(tmp_path, monkeypatch):
    """The card's path; six pictures lie beside it, the second of them broken."""
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        Image.new("RGB", (12, 9), (number * 40, 0, 0)).save(tmp_path / "pictures" / f"{number}.png")
    (tmp_path / "pictures" / "1.png").write_bytes(b"")
    torch.manual_seed(0)
    network = Generator(8, 4, 4, n_mlp=1, channels={4: 4, 8: 4})
    torch.save({"g_ema": network.state_dict(), "latent_avg": torch.zeros(4)}, tmp_path / "network.pt")
    (tmp_path / "card.yaml").write_text(CARD.replace("evaluation: 3", "evaluation: 2"))
    return tmp_path / "card.yaml"


def _wider(card, first="{evaluation: 0, train: 3}"):
    card.write_text(card.read_text().replace("path: pictures", f"path: pictures, first: {first}"))


def test_photos_are_inverted_by_projection_and_kept(card, monkeypatch):
    _wider(card)
    domain = load_domain(str(card), "full")
    photos = domain.photos("evaluation")
    assert photos.ids == ("0.png", "2.png")
    assert [(skipped.key, skipped.reason) for skipped in domain.skipped] == [("1.png", "empty")]
    assert photos.images.shape == (2, 3, 8, 8)
    latents = domain.invert(photos)
    assert latents.codes.shape == (2, domain.generator.num_rows, 4)
    assert not torch.equal(latents.codes[0], latents.codes[1])
    again = load_domain(str(card), "full")
    monkeypatch.setattr(type(again.inverter), "encode", lambda *_: pytest.fail("inverted twice"))
    assert torch.equal(again.invert(again.photos("evaluation")).codes, latents.codes)
    assert again.photos("train").ids == ("3.png", "4.png")


def test_the_bench_starts_from_these_inversions(card, tmp_path):
    _wider(card)
    domain = load_domain(str(card), "full")
    inputs = prepare_inputs(Store(tmp_path / "results"), domain, 2)
    shard = inputs.load(Shard(0, 2))
    assert torch.equal(shard.latents.codes, domain.invert(domain.photos("evaluation")).codes)
    assert shard.inversions.shape == (2, 8, 8, 3)


def test_too_few_usable_images_are_told_with_the_broken_ones(card):
    domain = load_domain(str(card), "full")
    with pytest.raises(UserError, match=r"1 usable images between positions 0 and 2 .* 2 were asked for; 1 skipped: 1"):
        domain.photos("evaluation")


def test_missing_pictures_are_told_with_their_place(card):
    card.write_text(card.read_text().replace("path: pictures", "path: nowhere"))
    with pytest.raises(UserError, match=r"missing the images \(folder nowhere; expected at .*home/data/nowhere\)"):
        load_domain(str(card), "full").photos("evaluation")


def test_samples_need_no_photos_and_no_inversion(card, monkeypatch):
    domain = load_domain(str(card), "full", source="samples")
    monkeypatch.setattr(type(domain.inverter), "encode", lambda *_: pytest.fail("inverted"))
    photos = domain.photos("evaluation", 2)
    latents = domain.invert(photos)
    assert torch.equal(latents.codes, photos.codes)
    shown = domain.generator.synthesize(latents.codes, noise="const").clamp(-1, 1)
    assert torch.equal(shown, photos.images)
    alone = domain.photos("evaluation", 1, 1)
    assert torch.equal(alone.codes, photos.codes[1:])
    assert torch.allclose(alone.images, photos.images[1:], atol=1e-5)  # a batch of another size


def test_codes_inverted_elsewhere_are_taken_as_they_are(card, tmp_path):
    codes = torch.randn(5, load_domain(str(card), "full").generator.num_rows, 4)
    torch.save(codes, tmp_path / "latents.pt")
    domain = load_domain(str(card), "full", source=str(tmp_path / "latents.pt"))
    assert torch.equal(domain.invert(domain.photos("train")).codes, codes[2:4])


def test_photos_from_elsewhere_replace_the_cards(card, tmp_path):
    (tmp_path / "other").mkdir()
    for number in range(4):
        Image.new("RGB", (9, 9)).save(tmp_path / "other" / f"x{number}.png")
    assert load_domain(str(card), "full", source=str(tmp_path / "other")).photos("evaluation").ids[0] == "x0.png"
    with pytest.raises(UserError, match="no such file or folder; valid: samples, or a folder"):
        load_domain(str(card), "full", source="smaples")


def test_the_command_inverts_what_is_new_and_names_what_it_skipped(card, capsys):
    _wider(card)
    words = ("datasets", "invert", "--dataset", str(card), "--json")
    assert main(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["photos"], first["inverted"]) == (2, 2)
    assert [skipped["key"] for skipped in first["skipped"]] == ["1.png"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["inverted"] == 0


def test_a_source_that_ends_early_is_told_with_what_was_asked(card, capsys):
    _wider(card, "{evaluation: 4}")
    card.write_text(card.read_text().replace("evaluation: 2", "evaluation: 50"))
    words = ("datasets", "invert", "--dataset", str(card))
    assert main(words) == 0
    assert "mugs evaluation: 2 of 50 photos asked for, 2 inverted now" in capsys.readouterr().out
    assert main((*words, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["asked"], found["photos"]) == (50, 2)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (62000, "pictures has 6 entries, the split starts at position 62000"),
        (1, "none of its images can be used; 1 skipped: 1.png (empty)"),
    ],
)
def test_a_split_without_any_photo_is_no_success(card, capsys, first, said):
    _wider(card, f"{{evaluation: {first}, train: {first + 1}}}")
    card.write_text(card.read_text().replace("evaluation: 2", "evaluation: 1"))
    assert main(("datasets", "invert", "--dataset", str(card))) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: folder", "kind: lmdb", "no data.mdb"),
        ("space: w", "space: z", "space 'z' is none of"),
        ("steps: 2", "stpes: 2", "unknown setting of inverter projection 'stpes'"),
        ("steps: 2", "steps: two", "setting steps of inverter projection: 'two' is no int"),
        ("    inversion:", "    inverter: magic\n    inversion:", "unknown inverter 'magic'"),
        ("network.pt", "gone.pt", "missing generator"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(card, capsys, old, new, said):
    _wider(card)
    card.write_text(card.read_text().replace(old, new))
    assert main(("datasets", "invert", "--dataset", str(card))) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len([line for line in error.splitlines() if line.startswith("textedit-bench:")]) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("path: pictures", "", "needs a path"),
        ("kind: folder, path: pictures", "kind: samples, path: x", "needs no path"),
        ("path: pictures", "path: pictures, truncation: 0.5", "truncation belongs to a source of kind 'samples'"),
        ("path: pictures", "path: pictures, crop: wide", "crop 'wide' needs a height"),
        ("path: pictures", "path: pictures, croop: none", "croop"),
        ("resolution: 8", "resolution: 8\n    world: a:B", "from a world or from a source, not both"),
    ],
)
def test_a_wrong_source_is_named_with_its_line(card, old, new, said):
    card.write_text(card.read_text().replace(old, new))
    with pytest.raises(UserError, match=r"line \d+: field tiers\.full") as caught:
        load_domain(str(card), "full")
    assert said in str(caught.value)
