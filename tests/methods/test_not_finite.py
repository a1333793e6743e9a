"""Optimisation methods stop at the first step whose loss is not finite, and say which term it was."""

from __future__ import annotations

import pytest

from textedit_bench.domain import load_domain
from textedit_bench.finite import DivergedError
from textedit_bench.models.projection import ProjectionSettings, project
from textedit_bench.prompt import Prompt
from textedit_bench.registry import load_editor
from textedit_bench.testing import write_toy_dataset

PROMPT = Prompt(target="a thing with bright top", source="a thing", phrase="bright top")


@pytest.fixture
def domain(tmp_path):
    return load_domain(str(write_toy_dataset(tmp_path / "toy")))


@pytest.mark.parametrize("method", ["styleclip-optimization", "tedigan"])
@pytest.mark.parametrize("at", [1, 3])
def test_the_term_and_the_step_are_named(domain, monkeypatch, method, at):
    encode, calls = domain.clip.encode_image, []

    def breaks(*given, **named):
        calls.append(1)
        return encode(*given, **named) * (float("nan") if len(calls) == at else 1.0)

    editor = load_editor(method, domain, steps=6)
    latents = domain.invert(domain.photos("evaluation", 2))
    monkeypatch.setattr(domain.clip, "encode_image", breaks)
    with pytest.raises(DivergedError, match=f"optimisation stopped at step {at}: clip is not finite"):
        editor.edit(latents, PROMPT)


def test_so_does_inversion_by_projection(domain):
    photos = domain.photos("evaluation", 2).images

    def distance(images, targets):
        return (images - targets).square().mean((1, 2, 3)) / 0.0

    with pytest.raises(DivergedError, match="inversion by projection stopped at step 1: distance is not finite"):
        project(domain.generator, photos, ProjectionSettings(steps=3), distance)
