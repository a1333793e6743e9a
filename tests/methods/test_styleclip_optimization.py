"""StyleCLIP's optimisation: schedule and terms as published, one optimisation for all strengths, pairs independent."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from textedit_bench.descent import descend
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.clip import published_input
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.prompt import Prompt
from textedit_methods.styleclip_optimization.card import Settings
from textedit_methods.styleclip_optimization.method import (
    StyleCLIPOptimization,
    identity_term,
    latent_term,
    learning_rate,
    objective,
)

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
GLASSES = Prompt("a face with glasses", "a face", "glasses")


@pytest.fixture
def domain(tiny_domain):
    """The tiny domain with a real generator of 8 pixels, so that there is a style space."""
    made = tiny_domain()
    torch.manual_seed(2)
    made.made["generator"] = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5}).eval().requires_grad_(False)
    return made


@pytest.fixture
def make(domain):
    def build(**settings):
        return StyleCLIPOptimization(domain, **{"steps": 6, **settings})

    return build


@pytest.fixture
def latents(domain):
    torch.manual_seed(4)
    return Latents(torch.randn(3, 4, 16), "w+", ids=("a", "b", "c"))


def test_schedule_equals_the_released_one(parity):
    parity("styleclip_misc").check("lr_schedule", torch.tensor([learning_rate(i, 300, 0.1) for i in range(300)]))


@pytest.mark.parametrize("steps", [1, 7, 40, 300])
def test_schedule_starts_at_zero_and_stays_within_the_peak(steps):
    rates = [learning_rate(i, steps, 0.3) for i in range(steps)]
    assert rates[0] == 0 and max(rates) <= 0.3 and min(rates) >= 0


@pytest.mark.parametrize("side", [256, 1024])
def test_pictures_reach_clip_as_in_the_released_loss(parity, side):
    published = parity("styleclip_misc")
    published.check(f"clip_in_{side}", published_input(published.input(f"image{side}"), 224))


def test_terms_by_hand():
    a, b = torch.tensor([[[1.0, 2.0], [0.0, 1.0]]]), torch.tensor([[[0.0, 0.0], [0.0, 3.0]]])
    assert latent_term(a, b).tolist() == [1 + 4 + 0 + 4]  # a sum, not a mean
    assert identity_term(torch.tensor([[0.6, 0.8]]), torch.tensor([[1.0, 0.0]])).tolist() == pytest.approx([0.4])


def test_objective_is_the_weighted_sum_of_its_terms(domain, latents):
    text = domain.clip.encode_text(["blond hair"]).expand(3, -1)
    moved = latents.codes + 0.1
    terms = objective(domain, Settings(l2_weight=0.5, identity_weight=0.25), latents.codes, text)
    found = sum(terms(moved).values())
    images, before = domain.generator.synthesize(moved), domain.generator.synthesize(latents.codes)
    for i in range(3):
        feature = domain.clip.encode_image(images[i : i + 1], "published")[0]
        cosine = float(feature @ text[i]) / math.sqrt(float(feature @ feature) * float(text[i] @ text[i]))
        same = float(domain.identity.embed(images)[i] @ domain.identity.embed(before)[i])
        wanted = 1 - cosine + 0.5 * float(((moved - latents.codes)[i] ** 2).sum()) + 0.25 * (1 - same)
        assert float(found[i]) == pytest.approx(wanted, rel=1e-4)


def test_descent_equals_adam_written_out():
    """An independent oracle: the recurrences of Adam with the schedule, in double precision."""
    torch.manual_seed(0)
    start, goal = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)

    def terms(codes: Tensor) -> dict[str, Tensor]:
        return {"far": ((codes - goal) ** 4).sum(1)}

    x, m, v = start.numpy().copy(), np.zeros((2, 3)), np.zeros((2, 3))
    for i in range(20):
        g = 4 * (x - goal.numpy()) ** 3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x = x - learning_rate(i, 20, 0.1) * (m / (1 - 0.9 ** (i + 1))) / (np.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8)
    found = descend(start, terms, 20, lambda i: learning_rate(i, 20, 0.1))
    assert np.allclose(found.numpy(), x, atol=1e-10)


@pytest.mark.parametrize("space", ["w+", "s"])
def test_the_loss_falls(make, domain, latents, space):
    editor = make(steps=30, l2_weight=0.0, space=space)
    edited = editor.edit(latents, BLOND)
    assert edited.space == space
    text = domain.clip.encode_text(["blond hair"])

    def loss(codes):
        return 1 - torch.cosine_similarity(domain.clip.encode_image(domain.generator.synthesize(codes)), text)

    assert (loss(edited) < loss(latents) - 0.05).all()


@pytest.mark.parametrize("settings", [{}, {"space": "s"}, {"identity_weight": 0.1}])
def test_one_batch_of_different_pairs_equals_the_single_ones(make, latents, settings):
    prompts = [BLOND, GLASSES, BLOND]
    together = make(**settings).optimize(latents, prompts)
    for i, prompt in enumerate(prompts):
        alone = make(**settings).edit(latents[i : i + 1], prompt).codes
        assert torch.allclose(together[i : i + 1], alone, atol=2e-4, rtol=0)
    split = make(batch_size=2, **settings).optimize(latents, prompts)
    assert torch.allclose(together, split, atol=2e-4, rtol=0)
    assert (together[0] - together[1]).abs().max() > 0.01


def test_strengths_share_one_optimisation_and_lie_on_one_line(make, latents, monkeypatch):
    runs = []
    original = StyleCLIPOptimization._descend
    monkeypatch.setattr(StyleCLIPOptimization, "_descend", lambda self, *args: runs.append(1) or original(self, *args))
    editor = make()
    zero, half, whole, twice = editor.edit_sweep(latents, BLOND, [0, 0.5, 1, 2])
    assert len(runs) == 1
    assert torch.equal(zero.codes, latents.codes)
    step = whole.codes - latents.codes
    assert step.abs().mean() > 0.01
    assert torch.allclose(half.codes, latents.codes + 0.5 * step, atol=1e-6)
    assert torch.allclose(twice.codes, latents.codes + 2 * step, atol=1e-6)
    assert whole.ids == latents.ids and torch.equal(whole.w_plus, latents.codes)
    editor.edit(latents, BLOND, 0)
    assert len(runs) == 1  # strength 0 costs nothing


def test_style_mode_moves_no_torgb_style(make, domain, latents):
    edited = make(space="s").edit(latents, BLOND)
    rgb = torch.cat([torch.full((e.channels,), e.is_rgb) for e in domain.generator.style_layout])
    moved = (edited.codes - domain.generator.to_style(latents)).abs()
    assert moved[:, rgb].max() == 0 and moved[:, ~rgb].mean() > 1e-3


def test_weights_hold_the_edit_back(make, latents):
    def length(**settings):
        return float((make(steps=20, **settings).edit(latents, BLOND).codes - latents.codes).norm())

    assert length(l2_weight=0.0) > length(l2_weight=0.1) > length(l2_weight=10.0)
    assert length(l2_weight=0.0) != length(l2_weight=0.0, identity_weight=1.0)


def test_no_gradient_reaches_the_networks_and_no_input_changes(make, domain, latents):
    """Even parameters that ask for gradients get none, and callers may have switched gradients off."""
    for network in domain.made.values():
        network.requires_grad_(True)
    codes = latents.codes.clone()
    editor = make(identity_weight=0.1)
    with torch.no_grad():
        edited = editor.edit(latents, BLOND)
    with torch.inference_mode():
        again = editor.edit(latents, BLOND)
    assert torch.equal(edited.codes, again.codes) and not edited.codes.requires_grad
    assert torch.equal(latents.codes, codes)
    assert all(p.grad is None for network in domain.made.values() for p in network.parameters())


def test_generation_draws_different_images_that_do_not_depend_on_their_number(make, domain):
    editor = make(steps=30)
    four = editor.generate(BLOND, 4, seed=3)
    assert four.codes.shape == (4, 4, 16) and len(set(four.ids)) == 4
    assert torch.allclose(editor.generate(BLOND, 2, seed=3).codes, four.codes[:2], atol=2e-4)
    assert torch.pdist(four.codes.flatten(1)).min() > 0.1
    assert not torch.allclose(editor.generate(BLOND, 2, seed=4).codes, four.codes[:2], atol=0.01)
    text = domain.clip.encode_text(["blond hair"])
    start = make(steps=1).generate(BLOND, 4, seed=3)  # its only step has rate 0
    cosines = [
        torch.cosine_similarity(domain.clip.encode_image(domain.generator.synthesize(codes)), text)
        for codes in (start, four)
    ]
    assert (cosines[1] > cosines[0]).all()
    mean = make(truncation=0.0).generate(BLOND, 2)
    assert torch.allclose(mean.codes[0], mean.codes[1], atol=2e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": "z"}, "space .* 'z'.*Valid: s, w"),
        ({"steps": 0}, "steps .* 0 .*from 1"),
        ({"steps": 2.5}, "steps .* int"),
        ({"batch_size": 0}, "batch_size"),
        ({"l2_weight": -1.0}, "l2_weight .*from 0"),
        ({"learning_rate": 0.0}, "learning_rate .*above 0"),
        ({"truncation": 1.5}, "truncation .*0 to 1"),
        ({"clip_preprocessing": "x"}, "published"),
        ({"lambda": 1.0}, "l2_weight"),
    ],
)
def test_bad_settings_are_refused_in_one_line(domain, settings, message):
    with pytest.raises(UserError, match=message) as caught:
        StyleCLIPOptimization(domain, **settings)
    assert "\n" not in str(caught.value)


def test_an_identity_weight_needs_an_identity_network(domain, make):
    del domain.made["identity"]
    make()
    with pytest.raises(UserError, match=r"identity_weight.*no identity network"):
        make(identity_weight=0.1)


def test_style_codes_without_their_source_are_refused_in_w_plus_mode(make, domain, latents):
    styles = Latents(domain.generator.to_style(latents), "s")
    with pytest.raises(UserError, match="without their W"):
        make().edit(styles, BLOND)
    assert make(space="s").edit(styles, BLOND).space == "s"


def test_no_images_no_work(make):
    empty = Latents(torch.zeros(0, 4, 16), "w+", ids=())
    assert make().edit(empty, BLOND).codes.shape == (0, 4, 16)
