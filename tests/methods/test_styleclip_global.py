"""Global directions as an editor: the sweep against a plain one, gradients against the sweep, strengths, resuming."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace import resumable
from textedit_bench.stylespace.statistics import Sampling, Statistics, editable, measure, sample_styles
from textedit_bench.stylespace.sweep import run, start, sweep
from textedit_methods.styleclip_global.method import StyleCLIPGlobal
from textedit_methods.styleclip_global.relevance import GradientRelevance, probes, products

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
GLASSES = Prompt("a face with glasses", "a face", "glasses")
QUICK = {"images": 3, "samples": 200, "probes": 16, "gradient_images": 3, "beta": 0.05}
SAMPLING = Sampling(samples=200, truncation=0.7)


@pytest.fixture
def domain(tiny_domain):
    """The tiny domain with a real generator of 8 pixels, so that there is a style space."""
    made = tiny_domain()
    torch.manual_seed(2)
    generator = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5})
    for layer in generator.modules():  # pictures within [-1, 1], where nothing is clipped
        if type(layer).__name__ == "ToRGB":
            nn.init.normal_(layer.conv.weight, std=0.05)
    made.made["generator"] = generator.eval().requires_grad_(False)
    return made


@pytest.fixture
def base(domain):
    """Generator, CLIP, base styles, statistics."""
    generator = domain.generator
    return generator, domain.clip, sample_styles(generator, SAMPLING, 0, 3), measure(
        generator, editable(generator), SAMPLING
    )  # fmt: skip


@pytest.fixture
def editor(domain):
    made = StyleCLIPGlobal(domain, **QUICK)
    torch.manual_seed(0)
    rows = F.normalize(torch.randn(len(editable(domain.generator)), 16), dim=1)
    made._relevance = type("Made", (), {"rows": rows, "statistics": Statistics(torch.zeros(17), torch.rand(17) + 0.5)})
    return made


@pytest.fixture
def latents(domain):
    torch.manual_seed(4)
    return Latents(torch.randn(3, 4, 16), "w+", ids=("a", "b", "c"))


def test_the_network_in_pieces_equals_the_whole(base):
    generator, _, styles, _ = base
    whole = generator.synthesize_style(styles)
    for cut in range(len(generator.style_layout)):
        begun = run(generator, start(generator, 3), styles, 0, cut)
        assert torch.equal(run(generator, begun, styles, cut).rgb, whole)
        twice = run(generator, begun.repeated(2), styles.repeat(2, 1), cut).rgb
        assert torch.allclose(twice, whole.repeat(2, 1, 1, 1), atol=1e-6)


def _plain_sweep(generator, clip, styles, statistics, width, released):
    """The published procedure word for word: whole renders, one channel at a time."""
    base, rows = styles.clone(), []
    for row, position in enumerate(editable(generator).tolist()):
        looks = []
        for sign in (-1, 1):
            pushed = base.clone()
            pushed[:, position] = statistics.mean[row] + sign * width * statistics.std[row]
            image = generator.synthesize_style(pushed)
            image = ((image + 1) / 2 * 255).round().clamp(0, 255) / 255 * 2 - 1
            embedding = clip.encode_image(image)
            looks.append(embedding / embedding.norm(dim=1, keepdim=True))
        if released:
            base[:, position] = statistics.mean[row]
        difference = looks[1] - looks[0]
        mean = (difference / difference.norm(dim=1, keepdim=True)).mean(0)
        rows.append(mean / mean.norm())
    return torch.stack(rows)


@pytest.mark.parametrize("variant", ["correct", "released"])
def test_the_sweep_equals_a_plain_one(base, variant):
    found = sweep(*base, variant=variant)
    wanted = _plain_sweep(*base, 5.0, variant == "released")
    assert torch.allclose(found, wanted, atol=2e-3)


def test_the_released_sweep_differs_from_the_correct_one(base):
    correct, released = (sweep(*base, variant=variant) for variant in ("correct", "released"))
    assert (correct - released).abs().max() > 0.01
    assert torch.allclose(correct[0], released[0], atol=1e-6)  # before anything was left behind


def test_the_released_sweep_stops_after_its_last_layer(base, monkeypatch):
    monkeypatch.setattr("textedit_bench.stylespace.sweep.RELEASED_LAST_LAYER", 2)
    rows = sweep(*base, variant="released")
    generator = base[0]
    swept = sum(layer.channels for layer in generator.style_layout[:3] if not layer.is_rgb)
    assert rows[:swept].norm(dim=1).min() > 0.9 and not rows[swept:].any() and swept < len(rows)


@pytest.mark.parametrize("variant", ["correct", "released"])
def test_a_killed_sweep_goes_on_to_the_same_rows(base, variant, monkeypatch):
    monkeypatch.setattr("textedit_bench.stylespace.sweep._images_at_once", lambda *_: 2)
    whole = sweep(*base, variant=variant)

    class Kill(Exception):
        pass

    kept = []

    def kill(progress):
        kept.append(replace(progress, sums=progress.sums.clone()))
        if len(kept) == 3:  # in the middle of the second layer
            raise Kill

    with pytest.raises(Kill):
        sweep(*base, variant=variant, checkpoint=kill)
    assert torch.equal(sweep(*base, variant=variant, progress=kept[-1]), whole)


def test_products_equal_finite_differences(base):
    generator, clip, styles, _ = base
    generator, clip, styles = generator.double(), clip.double(), styles.double()
    vectors = torch.randn(2, 16, dtype=torch.float64)
    found = products(generator, clip, styles, vectors)
    for column, position in enumerate(editable(generator).tolist()):
        step = torch.zeros_like(styles)
        step[:, position] = 1e-5
        looks = [F.normalize(clip.encode_image(generator.synthesize_style(styles + s * step)), dim=1) for s in (-1, 1)]
        wanted = ((looks[1] - looks[0]) / 2e-5) @ vectors.T
        assert torch.allclose(found[:, column], wanted, atol=1e-6)


def test_as_many_probes_as_dimensions_measure_lengths_exactly():
    vectors = torch.randn(5, 16)
    assert torch.allclose((vectors @ probes(16, 16).T).square().mean(1), vectors.square().sum(1), rtol=1e-4)
    some = (torch.randn(4000, 64) @ probes(8, 64).T).square().mean(1)
    assert float(some.mean()) == pytest.approx(64, rel=0.05)


def test_gradients_equal_a_sweep_of_tiny_width(domain):
    """Where the channels act linearly both ways agree, up to the sweep's 8-bit pictures, which are switched off."""
    generator, clip = domain.generator, domain.clip
    estimate = GradientRelevance(generator, clip, SAMPLING, images=3, probe_count=16)
    styles, statistics = sample_styles(generator, SAMPLING, 0, 3), estimate.statistics
    rows = []
    for position in editable(generator).tolist():
        step = torch.zeros_like(styles)
        step[:, position] = 1e-2
        looks = [F.normalize(clip.encode_image(generator.synthesize_style(styles + s * step)), dim=1) for s in (-1, 1)]
        rows.append(F.normalize(F.normalize(looks[1] - looks[0], dim=1).mean(0), dim=0))
    direction = F.normalize(torch.randn(16), dim=0)
    assert len(statistics.std) == len(rows)
    assert torch.allclose(estimate.projection(direction), torch.stack(rows) @ direction, atol=0.02)


def test_an_empty_batch_stays_empty(editor, latents):
    edited = editor.edit(latents[:0], BLOND, 1.0)
    assert edited.codes.shape[0] == 0 and edited.space == "s"


def test_strength_multiplies_alpha_and_zero_is_the_identity(domain, editor, latents):
    zero, half, whole = editor.edit_sweep(latents, BLOND, [0, 0.5, 1])
    assert torch.equal(zero.codes, latents.codes) and zero.space == "w+"
    source = domain.generator.to_style(latents)
    step = whole.codes - source
    assert whole.space == "s" and step.abs().max() > 0.1
    assert torch.allclose(half.codes, source + 0.5 * step, atol=1e-5)
    assert torch.allclose(step[0], step[2], atol=1e-5)  # the same for every image
    doubled = StyleCLIPGlobal(domain, **QUICK, alpha=8.2)
    doubled._relevance = editor._relevance
    assert torch.allclose(doubled.edit(latents, BLOND).codes - source, 2 * step, atol=1e-5)
    assert torch.allclose(editor.edit(latents[1:2], BLOND).codes, whole.codes[1:2], atol=1e-5)
    assert whole.ids == latents.ids and torch.equal(whole.w_plus, latents.codes)


def test_style_codes_are_edited_as_they_are_and_torgb_styles_stay(domain, editor, latents):
    styles = domain.generator.to_style(latents)
    from_styles = editor.edit(Latents(styles, "s"), BLOND).codes
    assert torch.allclose(from_styles, editor.edit(latents, BLOND).codes, atol=1e-6)
    rgb = torch.ones(styles.shape[1], dtype=torch.bool)
    rgb[editable(domain.generator)] = False
    assert torch.equal(from_styles[:, rgb], styles[:, rgb])


def test_the_number_of_edited_channels_is_told_once_per_prompt(editor, latents, caplog):
    with caplog.at_level(logging.INFO, logger="textedit_methods"):
        editor.edit_sweep(latents, BLOND, [0.5, 1])
        editor.edit(latents, BLOND)
    moved = int((editor.edit(latents, BLOND).codes != editor.domain.generator.to_style(latents)).any(0).sum())
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and f"edits {editor.channels(BLOND)} of 17 style channels" in told[0]
    assert editor.channels(BLOND) == moved


def test_no_channel_at_the_threshold_is_a_clear_error(domain, editor, latents):
    strict = StyleCLIPGlobal(domain, **{**QUICK, "beta": 1.0})
    strict._relevance = editor._relevance
    with pytest.raises(UserError, match=r"blond hair.*no channel reaches 1.*lower it with --set beta"):
        strict.edit(latents, BLOND)
    assert torch.equal(strict.edit(latents, BLOND, 0).codes, latents.codes)


def test_automatic_beta_takes_over(domain, editor):
    auto = StyleCLIPGlobal(domain, **{**QUICK, "beta": 1.0, "auto_beta": 2})
    auto._relevance = editor._relevance
    assert auto.channels(BLOND) > 2


def test_gradients_need_no_matrix(domain, latents):
    with pytest.raises(UserError, match=r"train --method styleclip-global.*relevance=gradient"):
        StyleCLIPGlobal(domain, **QUICK).edit(latents, BLOND)
    edited = StyleCLIPGlobal(domain, **QUICK, relevance="gradient").edit(latents, BLOND)
    assert (edited.codes - domain.generator.to_style(latents)).abs().max() > 0.01
    assert all(p.grad is None for network in domain.made.values() for p in network.parameters())


def test_preprocessing_is_saved_loaded_and_resumed(domain, latents, tmp_path, monkeypatch):
    whole = StyleCLIPGlobal(domain, **QUICK)
    whole.fit(folder=tmp_path / "whole")
    whole.save(tmp_path / "a.safetensors")
    again = StyleCLIPGlobal(domain, **QUICK)
    again.load(tmp_path / "a.safetensors")
    assert torch.allclose(again.projection(GLASSES), whole.projection(GLASSES), atol=5e-3)
    cost = json.loads(next((tmp_path / "whole").rglob("cost.json")).read_text())
    assert cost["renders"] == 2 * 3 * 17 and cost["seconds"] > 0

    monkeypatch.setattr(resumable, "_SAVE_EVERY_S", 0.0)
    stopped = StyleCLIPGlobal(domain, **QUICK)
    with pytest.raises(UserError, match="the same command goes on"):
        stopped.fit(folder=tmp_path / "stopped", stop_after_minutes=1e-9)
    seen = []
    original = resumable.sweep
    monkeypatch.setattr(resumable, "sweep", lambda *a, **k: seen.append(k["progress"].layer) or original(*a, **k))
    stopped.fit(folder=tmp_path / "stopped")
    assert seen == [0]
    assert torch.equal(stopped.relevance.rows, whole.relevance.rows)


def test_weights_lie_beside_the_method_named_by_data_set_and_tier(domain):
    path = StyleCLIPGlobal(domain).weights_path()
    assert path.parts[-4:] == ("textedit_methods", "styleclip_global", "weights", "tiny-mini.safetensors")


def test_a_matrix_of_another_clip_is_refused(domain, editor, tmp_path):
    editor.relevance.rows = editor.relevance.rows[:, :8]
    from textedit_methods.styleclip_global.relevance import Relevance, save_relevance

    save_relevance(Relevance(editor.relevance.rows, editor.relevance.statistics), tmp_path / "a.safetensors")
    with pytest.raises(UserError, match=r"width 8; .*16"):
        StyleCLIPGlobal(domain).load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"relevance": "x"}, "gradient, sweep"),
        ({"sweep": "x"}, "correct, released"),
        ({"beta": 1.5}, "beta .*0 to 1"),
        ({"auto_beta": -1}, "auto_beta .*from 0"),
        ({"probes": 0}, "probes .*from 1"),
        ({"width": 0.0}, "width .*above 0"),
        ({"truncation": 2.0}, "truncation .*0 to 1"),
        ({"betta": 0.1}, "beta"),
    ],
)
def test_bad_settings_are_refused_in_one_line(domain, settings, message):
    with pytest.raises(UserError, match=message) as caught:
        StyleCLIPGlobal(domain, **settings)
    assert "\n" not in str(caught.value)


def test_unknown_options_of_the_preprocessing_are_refused(domain, tmp_path):
    with pytest.raises(UserError, match="images"):
        StyleCLIPGlobal(domain).fit(folder=tmp_path, image=3)
