"""DeltaEdit as an editor: masks, strengths, batches, features, the sweep, and training that reads no text."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.clip import sentences, templates
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace import resumable
from textedit_bench.stylespace.statistics import Sampling, editable, editable_widths, sample_styles, without_rgb
from textedit_methods.deltaedit.card import Settings
from textedit_methods.deltaedit.method import DeltaEdit
from textedit_methods.deltaedit.network import DeltaMapper, DeltaModel, split_widths
from textedit_methods.deltaedit.training import image_features, relevance_matrix

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
SMALL = {
    "hidden": 6, "depth": 2, "batch_size": 8, "steps": 6, "steps_per_validation": 2, "num_samples": 20,
    "num_photos": 24, "statistics_samples": 30, "relevance_images": 2, "templates": "none",
}  # fmt: skip
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}


def _domain(tiny_domain):
    """With a real generator of 8 pixels: a style space of 4 convolution vectors would need 16."""
    made = tiny_domain()
    torch.manual_seed(2)
    made.made["generator"] = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5}).eval().requires_grad_(False)
    return made


@pytest.fixture
def domain(tiny_domain):
    return _domain(tiny_domain)


@pytest.fixture
def editor(domain):
    torch.manual_seed(5)
    made = DeltaEdit(domain, templates="none")
    widths = editable_widths(domain.generator)
    relevance = F.normalize(torch.randn(sum(widths), 16), dim=1)
    made._network = DeltaModel(DeltaMapper(split_widths(widths), 32), relevance).requires_grad_(False)
    return made


@pytest.fixture
def fit(tiny_domain):
    def run(folder, prompts=(BLOND,), **options):
        made = DeltaEdit(_domain(tiny_domain), **SMALL)
        made.fit(list(prompts), folder=folder, **{**QUIET, **options})
        return made

    return run


def _run_folder(folder):
    return next((folder / "deltaedit").iterdir())


def test_strength_scales_one_offset_and_torgb_is_spared(domain, editor):
    latents = domain.invert(domain.photos("train", 3))
    zero, half, whole = editor.edit_sweep(latents, BLOND, [0, 0.5, 1])
    styles = domain.generator.to_style(latents.codes)
    assert zero is latents and whole.space == "s" and torch.equal(whole.w_plus, latents.codes)
    assert torch.allclose(half.codes - styles, 0.5 * (whole.codes - styles), atol=1e-5)
    changed = (whole.codes != styles).any(0).nonzero().flatten()
    assert len(changed) and set(changed.tolist()) <= set(editable(domain.generator).tolist())


def test_channels_below_the_threshold_stay(domain, editor):
    latents = domain.invert(domain.photos("train", 3))
    strength = (editor.relevance @ editor.difference(BLOND)).abs()
    strict = DeltaEdit(domain, templates="none", threshold=float(strength.median()))
    strict._network = editor.network
    styles = domain.generator.to_style(latents.codes)
    step = without_rgb(domain.generator, strict.edit(latents, BLOND).codes - styles)
    assert torch.equal(step.any(0), strength >= strength.median())


def test_one_by_one_equals_the_batch_and_style_codes_are_read(domain, editor):
    latents = domain.invert(domain.photos("train", 6))
    together = editor.edit(latents, BLOND).codes
    alone = torch.cat([editor.edit(latents[i : i + 1], BLOND).codes for i in range(6)])
    assert torch.allclose(together, alone, atol=1e-5, rtol=0)
    as_styles = latents.with_codes(domain.generator.to_style(latents.codes), "s")
    assert torch.equal(editor.edit(as_styles, BLOND).codes, together)


def test_features_come_from_the_photo_where_there_is_one(domain, editor):
    latents = domain.invert(domain.photos("train", 2))
    blind = Latents(latents.codes, "w+")
    shown = Latents(latents.codes, "w+", images=domain.generator.synthesize(latents.codes))
    assert not torch.allclose(editor.edit(latents, BLOND).codes, editor.edit(blind, BLOND).codes)
    assert torch.allclose(editor.edit(shown, BLOND).codes, editor.edit(blind, BLOND).codes, atol=1e-5)


def test_save_and_load(tmp_path, domain, editor):
    latents = domain.invert(domain.photos("train", 3))
    editor.save(tmp_path / "a.safetensors")
    other = DeltaEdit(domain, templates="none")
    other.load(tmp_path / "a.safetensors")
    assert torch.equal(other.edit(latents, BLOND).codes, editor.edit(latents, BLOND).codes)


def test_released_weights_need_a_relevance_file(tmp_path, domain, editor):
    torch.save(editor.network.mapper.state_dict(), tmp_path / "net.pth")
    groups = {"coarse": (3, 6), "medium": (4, 6), "fine": (1, 5)}
    torch.save(DeltaMapper(groups, 32).state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match="47 styles"):
        DeltaEdit(domain).load(tmp_path / "other.pth")
    made = DeltaEdit(domain, templates="none")
    made._network = DeltaModel(editor.network.mapper)
    latents = domain.invert(domain.photos("train", 2))
    with pytest.raises(UserError, match="fs3"):
        made.edit(latents, BLOND)
    np.save(tmp_path / "fs3.npy", editor.network.relevance.numpy())
    given = DeltaEdit(domain, templates="none", relevance_file=str(tmp_path / "fs3.npy"))
    given._network = made._network
    assert torch.equal(given.edit(latents, BLOND).codes, editor.edit(latents, BLOND).codes)


def test_no_weights_says_how_to_train(domain):
    with pytest.raises(UserError, match="textedit-bench train"):
        DeltaEdit(domain).edit(domain.invert(domain.photos("train", 1)), BLOND)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshhold": 0.1}, "threshold"),
        ({"templates": "all"}, "imagenet"),
        ({"threshold": -0.1}, "threshold"),
        ({"learning_rate": -0.1}, "learning_rate"),
        ({"steps": 0}, "steps"),
    ],
)
def test_settings_that_mean_nothing_are_refused(domain, settings, message):
    with pytest.raises(UserError, match=message):
        DeltaEdit(domain, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_photos": 41}, "num_photos: 41"),
        ({"num_photos": 0, "num_samples": 1}, "two images"),
        ({"mse_weight": 0.0, "cosine_weight": 0.0}, "are 0"),
    ],
)
def test_trainings_that_cannot_be_are_refused(domain, tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        DeltaEdit(domain, **{**SMALL, **settings}).fit([], folder=tmp_path, **QUIET)


def test_templates_are_the_published_79_and_bring_their_own_article():
    assert len(templates()) == 79 and all(text.count("{}") == 1 for text in templates())
    assert templates()[:2] == ("a bad photo of a {}.", "a sculpture of a {}.")
    assert sentences("a face with bangs")[0] == "a bad photo of a face with bangs."


def test_text_difference_by_hand(domain, editor):
    one, other = (F.normalize(domain.clip.encode_text([text])[0], dim=0) for text in ("a", "b"))
    assert torch.allclose(editor.difference(Prompt("a", "b")), one - other)
    one, other = (F.normalize(domain.clip.encode_text(sentences(text)), dim=1).mean(0) for text in ("a", "b"))
    wanted = F.normalize(one, dim=0) - F.normalize(other, dim=0)
    assert torch.allclose(DeltaEdit(domain).difference(Prompt("a", "b")), wanted)


def test_features_are_those_of_samples_then_photos(tmp_path, domain):
    values = Settings(num_samples=3, num_photos=4)
    found, clip = image_features(domain, values, 1, tmp_path)
    photos = domain.photos("train", 4)
    styles = without_rgb(domain.generator, domain.generator.to_style(domain.invert(photos).codes))
    assert torch.allclose(found[3:], styles, atol=1e-5)
    assert torch.allclose(clip[3:], F.normalize(domain.clip.encode_image(photos.images), dim=1), atol=1e-5)
    w = domain.generator.map(torch.randn(3, 16, generator=torch.Generator().manual_seed(1)))
    assert torch.allclose(found[:3], without_rgb(domain.generator, domain.generator.to_style(w)), atol=1e-5)
    domain.made["encoder"] = None  # what is kept is not computed again
    assert torch.equal(found, image_features(domain, values, 1, tmp_path)[0])


def test_the_sweep_is_its_plain_definition(domain, tmp_path):
    """Channel by channel and image by image, against rows found in batches."""
    found = relevance_matrix(domain, Settings(relevance_images=3, statistics_samples=40), tmp_path)
    generator = domain.generator
    styles = sample_styles(generator, Sampling(samples=40, truncation=0.7, seed=5), 0, 40)
    mean, deviation = styles.mean(0), styles.std(0, unbiased=False)
    for row, channel in list(enumerate(editable(generator).tolist()))[::5]:
        steps = []
        for image in range(3):
            ends = []
            for sign in (1, -1):
                code = styles[image : image + 1].clone()
                code[0, channel] = mean[channel] + sign * 5 * deviation[channel]
                picture = ((generator.synthesize_style(code) + 1) * 127.5).clamp(0, 255).round() / 127.5 - 1
                ends.append(F.normalize(domain.clip.encode_image(picture)[0], dim=0))
            steps.append(F.normalize(ends[0] - ends[1], dim=0))
        assert torch.allclose(found[row], F.normalize(torch.stack(steps).mean(0), dim=0), atol=2e-3)


def test_a_killed_sweep_goes_on(tmp_path, domain, monkeypatch):
    values = Settings(relevance_images=2, statistics_samples=10)
    whole = relevance_matrix(domain, values, tmp_path / "whole")
    kept, original, calls = tmp_path / "killed", resumable.sweep, []

    def killed(*args, checkpoint, **options):
        def stop(progress):
            calls.append(progress.layer)
            checkpoint(progress)
            if len(calls) == 7:
                raise KeyboardInterrupt

        return original(*args, checkpoint=stop, **options)

    monkeypatch.setattr(resumable, "_SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(resumable, "sweep", killed)
    with pytest.raises(KeyboardInterrupt):
        relevance_matrix(domain, values, kept)
    stopped = len(calls)
    assert torch.equal(relevance_matrix(domain, values, kept), whole)
    # Every channel of every layer checkpoints once; what was done before the kill was not done again.
    renders = sum(1 for _ in editable(domain.generator))
    assert stopped == 7 and len(calls) == renders
    assert torch.equal(relevance_matrix(domain, values, kept), whole) and len(calls) == renders


def test_training_lowers_the_loss_and_leaves_its_record(tmp_path, fit):
    made = fit(tmp_path, steps=60, steps_per_validation=15, preview_images=2)
    folder = _run_folder(tmp_path)
    with (folder / "curves" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["validation/loss"]]
    losses = [float(row["validation/loss"]) for row in rows]
    assert len(losses) == 4 and min(losses[1:]) < losses[0] and "validation/mse_of_zero" in rows[0]
    assert json.loads((folder / "cost.json").read_text())["steps"] == 60
    assert Image.open(folder / "pictures" / "epoch-001.png").size[0] == 2 * 96
    assert made.network.relevance.shape == (17, 16)


def test_training_reads_no_text_and_no_ground_truth(tmp_path, tiny_domain, monkeypatch):
    asked = []

    class Watched(tiny_domain):
        def network(self, role):
            asked.append(role)
            return super().network(role)

        def photos(self, split, n=None, start=0):
            asked.append(split)
            return super().photos(split, n, start)

    domain = _domain(Watched)
    monkeypatch.setattr(type(domain.made["clip"]), "encode_text", None)
    DeltaEdit(domain, **SMALL).fit([], folder=tmp_path, **QUIET)
    assert set(asked) == {"generator", "clip", "encoder", "train"}


def test_frozen_networks_stay_out_of_the_checkpoint(tmp_path, fit):
    fit(tmp_path)
    state = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]
    assert len(state) == 9 * 2 * 2 and all(
        name.startswith(("network.sm_", "network.cm_", "network.fm_")) for name in state
    )
