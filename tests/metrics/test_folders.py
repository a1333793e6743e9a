"""Two folders of pictures get the suite's own figures; what does not pair is one clear error."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.errors import UserError
from textedit_bench.metrics import Suite
from textedit_bench.metrics.column import bounds_of
from textedit_bench.metrics.folders import score_folders
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.statistics_file import SetStatistics
from textedit_bench.prompt import Prompt

PROMPT = Prompt("a smiling face", source="a face")


@pytest.fixture
def pictures(domain: Any, tmp_path: Path, draw: torch.Generator) -> Any:
    domain.resolution = 16
    levels = torch.randint(0, 256, (2, 5, 16, 16, 3), generator=draw).to(torch.uint8).numpy()
    for folder, pixels in zip(("source", "edited"), levels, strict=True):
        (tmp_path / folder).mkdir()
        for i, picture in enumerate(pixels):
            Image.fromarray(picture).save(tmp_path / folder / f"{i}.png")
    return levels


def test_figures_are_those_of_the_suite(domain: Any, tmp_path: Path, pictures: np.ndarray) -> None:
    found = score_folders(domain, tmp_path / "source", tmp_path / "edited", PROMPT)
    photos, edits = (torch.from_numpy(p).permute(0, 3, 1, 2) / 127.5 - 1 for p in pictures)
    columns = Suite(domain).score_batch(photos=photos, inversions=photos, edits=edits, prompt=PROMPT, factors=None)
    summary = found.summary.set_index("metric")
    for name in ("psnr", "lpips", "identity", "clip_score", "clip_gain_photo"):
        assert summary.loc[name, "mean"] == pytest.approx(columns[name].values.mean(), rel=1e-6)
        assert summary.loc[name, "low"] < summary.loc[name, "mean"] < summary.loc[name, "high"]
    assert summary.loc["fid_source", "mean"] > 0
    assert not any(name.endswith("_inversion") for name in summary.index)
    assert "success" not in summary.index and any("success" in note for note in found.notes)
    assert len(found.records) == 5 * found.records["metric"].nunique()


def test_only_the_pictures_of_one_pass_are_in_memory(domain: Any, tmp_path: Path, pictures: Any, monkeypatch) -> None:
    """Whatever their number: a thousand pairs of side 1024 would take 25 GB."""
    monkeypatch.setattr("textedit_bench.metrics.folders.BATCH", 2)
    alive, most = weakref.WeakSet(), []
    of_pixels = ImageBatch.of_pixels.__func__

    def counted(cls: Any, pixels: Any, *given: Any) -> ImageBatch:
        batch = of_pixels(cls, pixels, *given)
        alive.add(batch.images)
        most.append(sum(len(images) for images in alive))
        return batch

    monkeypatch.setattr(ImageBatch, "of_pixels", classmethod(counted))
    found = score_folders(domain, tmp_path / "source", tmp_path / "edited", PROMPT)
    assert len(found.records["image"].unique()) == 5 and found.statistics is not None
    assert max(most) <= 8, "the pairs of this pass and of the one before, at most"


def test_the_same_folder_twice_scores_as_doing_nothing(domain: Any, tmp_path: Path, pictures: Any) -> None:
    summary = score_folders(domain, tmp_path / "source", tmp_path / "source", PROMPT).summary.set_index("metric")
    assert summary.loc["lpips", "mean"] == 0.0 and summary.loc["identity", "mean"] == pytest.approx(1.0)
    assert summary.loc["fid_source", "mean"] == pytest.approx(0.0, abs=1e-3)
    assert "psnr" not in summary.index  # identical everywhere: no number


def test_intervals_of_a_folder_against_itself_are_those_of_the_metric_not_of_its_values(
    domain: Any, tmp_path: Path, pictures: Any
) -> None:
    """An L1 of 0 everywhere looks like a rate that nothing ever met; it is a distance, and known exactly."""
    summary = score_folders(domain, tmp_path / "source", tmp_path / "source", PROMPT).summary.set_index("metric")
    for name in ("l1", "lpips", "ssim"):
        assert summary.loc[name, "low"] == summary.loc[name, "high"] == summary.loc[name, "mean"]
    for name in summary.index:
        low, high = bounds_of(name) or (-np.inf, np.inf)
        assert low <= summary.loc[name, "low"] and summary.loc[name, "high"] <= high
    if "identity_verified" in summary.index:
        assert summary.loc["identity_verified", "low"] < 1.0  # five pictures make no rate certain


def _turned(picture: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90).save(path.with_suffix(".png"), exif=exif)


def _hidden(picture: Image.Image, path: Path) -> None:
    """White, behind a hole that hides another colour: as displayed, the same."""
    whole = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    whole.paste(picture, (0, 0))
    pixels = np.array(whole)
    pixels[(pixels[..., :3] == 255).all(-1)] = (200, 10, 10, 0)
    Image.fromarray(pixels).save(path.with_suffix(".png"))


DISGUISES: dict[str, Any] = {
    "turned": _turned,
    "hidden": _hidden,
    "tiff": lambda picture, path: picture.save(path.with_suffix(".TIF")),
    "bmp": lambda picture, path: picture.save(path.with_suffix(".bmp")),
    "ppm": lambda picture, path: picture.save(path.with_suffix(".ppm")),
    "webp": lambda picture, path: picture.save(path.with_suffix(".webp"), lossless=True),
    "frames": lambda picture, path: picture.save(
        path.with_suffix(".png"), save_all=True, append_images=[picture.rotate(180)]
    ),
    "alpha": lambda picture, path: picture.convert("RGBA").save(path.with_suffix(".PNG")),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_the_same_pictures_in_another_form_score_as_doing_nothing(
    domain: Any, tmp_path: Path, pictures: np.ndarray, name: str
) -> None:
    pictures[0, :, :4, :4] = 255
    (tmp_path / "other").mkdir()
    for i, pixels in enumerate(pictures[0]):
        Image.fromarray(pixels).save(tmp_path / "source" / f"{i}.png")
        DISGUISES[name](Image.fromarray(pixels), tmp_path / "other" / f"{i}")
    found = score_folders(domain, tmp_path / "source", tmp_path / "other", PROMPT)
    assert found.summary.set_index("metric").loc["l1", "mean"] == 0.0
    said = [note for note in found.notes if note.startswith("--edited: 5 pictures: ")]
    assert len(said) == (name in ("turned", "hidden", "frames"))
    assert not any(note.startswith("--source") for note in found.notes)


def test_what_lies_beside_the_pictures_is_left_out(domain: Any, tmp_path: Path, pictures: Any) -> None:
    for folder in (tmp_path / "source", tmp_path / "edited"):
        (folder / "._0.png").write_bytes(b"\0\5\x16\7 what a Mac keeps beside a file")
        (folder / ".hidden.jpg").write_bytes(b"")
        (folder / "Thumbs.db").write_bytes(b"")
        (folder / "notes.txt").write_text("")
    (tmp_path / "source" / "more.png").mkdir()
    found = score_folders(domain, tmp_path / "source", tmp_path / "edited", PROMPT)
    assert set(found.records["image"]) == {"0", "1", "2", "3", "4"}


def test_a_folder_twice_is_said(domain: Any, tmp_path: Path, pictures: Any) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "source")
    for other in ("source", "link", "edited"):
        found = score_folders(domain, tmp_path / "source", tmp_path / other, PROMPT)
        assert any("doing nothing" in note for note in found.notes) is (other != "edited")


def test_statistics_of_real_images_are_used_and_checked(domain: Any, tmp_path: Path, pictures: Any) -> None:
    features = np.random.default_rng(0).random((20, 12)).astype(np.float32)
    facts = {"weights_sha256": domain.digest("features"), "resize": "network", "source": "real"}
    reference = SetStatistics.of(features, **facts)
    found = score_folders(domain, tmp_path / "source", tmp_path / "edited", PROMPT, reference)
    summary = found.summary.set_index("metric")
    assert found.statistics is not None
    assert summary.loc["fid_real", "mean"] == pytest.approx(found.statistics.distance(reference))
    assert np.isfinite(summary.loc["kid_real", "mean"])
    other = SetStatistics.of(features, **{**facts, "weights_sha256": "other"})
    with pytest.raises(UserError, match="weights_sha256"):
        score_folders(domain, tmp_path / "source", tmp_path / "edited", PROMPT, other)


def test_what_does_not_pair_or_fit_is_named(domain: Any, tmp_path: Path, pictures: Any) -> None:
    source, edited = tmp_path / "source", tmp_path / "edited"

    def refused(match: str) -> None:
        with pytest.raises(UserError, match=match):
            score_folders(domain, source, edited, PROMPT)

    (edited / "4.png").rename(edited / "five.png")
    refused("'4' .* has no partner")
    (edited / "five.png").rename(edited / "4.png")
    Image.new("RGB", (8, 16)).save(edited / "4.png")
    refused("8x16; the evaluation networks of tiny")
    (edited / "4.png").write_bytes(b"no picture")
    refused("cannot be read")
    Image.new("RGB", (16, 16)).save(edited / "4.jpg")
    refused("several pictures called '4'")
    with pytest.raises(UserError, match="is not a folder"):
        score_folders(domain, tmp_path / "nowhere", edited, PROMPT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no picture"):
        score_folders(domain, tmp_path / "empty", edited, PROMPT)
