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
    """Eight pictures of the text for each of four seeds, with the domain that judges them."""
    domain = teb.load_domain("ffhq", tier="mini")
    editor, prompt = teb.load_editor("clip2gan", domain), resolve_prompt(domain, TEXT)
    with torch.no_grad():
        sets = [domain.generator.synthesize(editor.generate(prompt, 8, seed=seed)).clamp(-1, 1) for seed in range(4)]
    return domain, sets


@pytest.mark.slow
def test_the_asked_attributes_show_in_most_pictures(generated):
    domain, sets = generated
    images = torch.cat(sets)
    seen = domain.network("oracle").predict(images)
    right = torch.ones(len(images), dtype=torch.bool)
    for name, value in ASKED.items():
        position = domain.world.index(name)
        right &= seen[:, position] == list(domain.world.attributes[position].values).index(value)
    assert int(right.sum()) > len(images) / 2


@pytest.mark.slow
def test_no_two_pictures_of_a_set_show_one_person(generated):
    domain, sets = generated
    judge = domain.network("judge_identity")
    for images in sets:
        rows = judge.embed(images)
        pairs = (rows @ rows.T)[torch.triu_indices(len(rows), len(rows), offset=1).unbind()]
        assert float(pairs.max()) < judge.threshold
