"""What `textedit-bench generate` promises on the mini faces, told by the oracle and the judging identity network."""

from __future__ import annotations

import pytest
import torch

import textedit_bench as teb
from textedit_bench.ready import resolve_prompt

TEXT = "a face with red hair and glasses"
ASKED = {"hair_color": "red", "glasses": "glasses"}


@pytest.fixture(scope="module")
def generated():
    """Eight pictures of the text, with the domain that judges them."""
    domain = teb.load_domain("ffhq", tier="mini")
    editor = teb.load_editor("clip2gan", domain)
    codes = editor.generate(resolve_prompt(domain, TEXT), 8, seed=0)
    with torch.no_grad():
        return domain, domain.generator.synthesize(codes).clamp(-1, 1)


@pytest.mark.slow
def test_the_asked_attributes_show_in_six_of_eight(generated):
    domain, images = generated
    seen = domain.network("oracle").predict(images)
    right = torch.ones(len(images), dtype=torch.bool)
    for name, value in ASKED.items():
        position = domain.world.index(name)
        right &= seen[:, position] == list(domain.world.attributes[position].values).index(value)
    assert int(right.sum()) >= 6


@pytest.mark.slow
def test_no_two_pictures_show_one_person(generated):
    domain, images = generated
    judge = domain.network("judge_identity")
    rows = judge.embed(images)
    pairs = (rows @ rows.T)[torch.triu_indices(len(rows), len(rows), offset=1).unbind()]
    assert float(pairs.max()) < judge.threshold
