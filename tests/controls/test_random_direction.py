"""The control that takes a random step of a given length."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from textedit_bench.controls.editors import RandomDirection
from textedit_bench.editor import Latents
from textedit_bench.models import Generator
from textedit_bench.prompt import Prompt

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


def matched(domain, space="w+", **settings) -> RandomDirection:
    parts = domain.generator.num_rows if space == "w+" else len(domain.generator.style_layout)
    material = SimpleNamespace(copies=True, step_lengths=lambda: (space, lengths(parts)))
    return RandomDirection(domain, **settings).make(material)


def test_every_row_moves_by_its_own_length_times_strength(domain, latents):
    wanted = torch.tensor([lengths(domain.generator.num_rows)[i] for i in "abc"])
    editor = matched(domain)
    for strength in (0.5, 2.0):
        moved = (editor.edit(latents, PROMPT, strength).codes - latents.codes).norm(dim=-1)
        assert torch.allclose(moved, strength * wanted, rtol=1e-4)


def test_strength_zero_changes_nothing(domain, latents):
    assert RandomDirection(domain).edit(latents, PROMPT, 0.0) is latents


def test_the_direction_depends_on_image_prompt_and_seed_alone(domain, latents):
    editor = matched(domain)
    whole = editor.edit(latents, PROMPT)
    part = matched(domain).edit(latents[[2, 0]], PROMPT)
    assert torch.equal(part.codes, whole.codes[[2, 0]])
    other = editor.edit(latents, replace(PROMPT, target="a face"))
    seeded = matched(domain, seed=1).edit(latents, PROMPT)
    for changed in (other, seeded):
        assert not torch.allclose(changed.codes, whole.codes)


def test_style_space_steps_have_one_length_per_layer(domain, latents):
    layout = domain.generator.style_layout
    edited = matched(domain, "s").edit(latents, PROMPT)
    assert edited.space == "s" and edited.w_plus is latents.codes
    step = edited.codes - domain.generator.to_style(latents.codes)
    moved = torch.stack([part.norm(dim=-1) for part in step.split([layer.channels for layer in layout], -1)], -1)
    assert torch.allclose(moved, torch.tensor([lengths(len(layout))[i] for i in "abc"]), rtol=1e-3)


def test_without_lengths_a_step_is_as_long_as_samples_are_far_out(domain, latents):
    w = domain.generator.map(torch.randn(1024, 4, generator=torch.Generator().manual_seed(0)))
    typical = (w - w.mean(0)).square().sum(-1).mean().sqrt()
    moved = (RandomDirection(domain).edit(latents, PROMPT).codes - latents.codes).norm(dim=-1)
    assert torch.allclose(moved, typical.expand_as(moved), rtol=1e-4)
