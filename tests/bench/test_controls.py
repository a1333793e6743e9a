"""The two controls: no edit, and a random step of a given length."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models import Generator
from textedit_bench.prompt import Prompt
from textedit_methods.no_edit.editor import NoEdit
from textedit_methods.random_direction.editor import RandomDirection

PROMPT = Prompt("a face with a hat", phrase="hat")


@pytest.fixture(scope="module")
def domain():
    torch.manual_seed(0)
    return SimpleNamespace(tier="mini", generator=Generator(8, 4, 6, n_mlp=1, channels={4: 5, 8: 3}).eval())


@pytest.fixture
def latents(domain):
    codes = torch.randn(3, domain.generator.num_rows, 6, generator=torch.Generator().manual_seed(1))
    return Latents(codes, "w+", ids=("a", "b", "c"))


def lengths(parts: int) -> dict[str, list[float]]:
    return {name: [k + 0.5 + i for i in range(parts)] for k, name in enumerate("abc")}


def test_no_edit_returns_what_it_is_given(domain, latents):
    assert NoEdit(domain).edit(latents, PROMPT, 3.0) is latents


def test_every_row_moves_by_its_own_length_times_strength(domain, latents):
    wanted = lengths(domain.generator.num_rows)
    editor = RandomDirection(domain, lengths=wanted)
    for strength in (0.5, 2.0):
        moved = (editor.edit(latents, PROMPT, strength).codes - latents.codes).norm(dim=-1)
        assert torch.allclose(moved, strength * torch.tensor([wanted[i] for i in "abc"]), rtol=1e-4)


def test_strength_zero_changes_nothing(domain, latents):
    assert RandomDirection(domain).edit(latents, PROMPT, 0.0) is latents


def test_the_direction_depends_on_image_prompt_and_seed_alone(domain, latents):
    wanted = lengths(domain.generator.num_rows)
    whole = RandomDirection(domain, lengths=wanted).edit(latents, PROMPT)
    part = RandomDirection(domain, lengths=wanted).edit(latents[[2, 0]], PROMPT)
    assert torch.equal(part.codes, whole.codes[[2, 0]])
    other = RandomDirection(domain, lengths=wanted).edit(latents, replace(PROMPT, target="a face"))
    seeded = RandomDirection(domain, lengths=wanted, seed=1).edit(latents, PROMPT)
    for changed in (other, seeded):
        assert not torch.allclose(changed.codes, whole.codes)


def test_style_space_steps_have_one_length_per_layer(domain, latents):
    layout = domain.generator.style_layout
    wanted = lengths(len(layout))
    edited = RandomDirection(domain, lengths=wanted, space="s").edit(latents, PROMPT)
    assert edited.space == "s" and edited.w_plus is latents.codes
    step = edited.codes - domain.generator.to_style(latents.codes)
    moved = torch.stack([part.norm(dim=-1) for part in step.split([layer.channels for layer in layout], -1)], -1)
    assert torch.allclose(moved, torch.tensor([wanted[i] for i in "abc"]), rtol=1e-3)


def test_without_lengths_a_step_is_as_long_as_samples_are_far_out(domain, latents):
    w = domain.generator.map(torch.randn(1024, 4, generator=torch.Generator().manual_seed(0)))
    typical = (w - w.mean(0)).square().sum(-1).mean().sqrt()
    moved = (RandomDirection(domain).edit(latents, PROMPT).codes - latents.codes).norm(dim=-1)
    assert torch.allclose(moved, typical.expand_as(moved), rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": "z"}, "Valid: s, w+"),
        ({"space": "s"}, "only 'w+' has a default"),
        ({"lengths": {"a": [1.0]}}, "1 given for"),
        ({"lengths": {}}, "no lengths for image 'a'"),
    ],
)
def test_settings_that_do_not_fit_are_named(domain, latents, settings, message):
    with pytest.raises(UserError) as error:
        RandomDirection(domain, **settings).edit(latents, PROMPT)
    assert message in str(error.value)
