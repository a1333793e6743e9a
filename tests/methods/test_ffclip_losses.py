"""Each term is the published formula, the trap in it included."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.training import loss_weights
from textedit_methods.ffclip import training as losses
from textedit_methods.ffclip.card import CARD, PUBLISHED_PHRASES
from textedit_methods.ffclip.training import NEEDS, training_phrases


def test_clip_term_sums_over_the_batch_and_ignores_lengths():
    image, text = torch.tensor([[2.0, 0.0], [0.0, 5.0]]), torch.tensor([[3.0, 0.0], [1.0, 0.0]])
    assert losses.clip_term(image, text).item() == pytest.approx(0 + 1)
    assert losses.clip_term(image.repeat(4, 1), text.repeat(4, 1)).item() == pytest.approx(4)


def test_means_are_means():
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert losses.identity_term(a, b).item() == pytest.approx(0.5)
    assert losses.embedding_term(a, b).item() == pytest.approx(0.5)
    assert losses.latent_term(torch.tensor([[[1.0, -3.0]]])).item() == pytest.approx(2)
    assert losses.pixel_term(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), -0.5)).item() == pytest.approx(0.5)


def test_background_leaves_out_the_hair_of_either_image_and_counts_it_as_zero():
    source, edited = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    hair = torch.zeros(2, 1, 4, 4)
    hair[0, :, :2, :2] = 1  # one quarter is hair before
    hair[1, :, 2:, 2:] = 1  # another one after
    assert losses.background_term(source, edited, hair[:1], hair[1:]).item() == pytest.approx(0.5)


def test_published_weights():
    weights = {name.removesuffix("_weight"): value for name, value in CARD.training.items() if "_weight" in name}
    assert weights == dict(clip=1.0, identity=0.9, latent=1.6, background=2.0, embedding=1.0, pixel=0.0)


def test_terms_without_their_network_are_off_and_say_so(tiny_domain, caplog):
    domain = tiny_domain()
    del domain.made["identity"]
    kept = loss_weights("ffclip", CARD.training, domain, NEEDS)
    assert kept == dict(clip=1.0, identity=0.0, latent=1.6, background=0.0, embedding=1.0, pixel=0.0)
    assert [record.args[1] for record in caplog.records] == ["identity", "background"]


def test_published_list_and_the_cards():
    assert (len(PUBLISHED_PHRASES["ffhq"]), sum(PUBLISHED_PHRASES["ffhq"].values())) == (44, 53)
    assert (len(PUBLISHED_PHRASES["car"]), sum(PUBLISHED_PHRASES["car"].values())) == (9, 9)
    assert not any(phrase.lower() == "red hair" for phrase in PUBLISHED_PHRASES["ffhq"])
    none = SimpleNamespace(name="ffhq", tier="full", training_prompts=list)
    assert training_phrases(none)["Bald"] == 2
    with pytest.raises(UserError, match="church"):
        training_phrases(SimpleNamespace(name="church", tier="full", training_prompts=list))


def test_only_marked_prompts_are_trained_on_unless_others_are_given(tiny_domain):
    domain = tiny_domain()
    unseen = SimpleNamespace(split="evaluation", trained=False, prompt=lambda: Prompt("a face", phrase="red hair"))
    seen = SimpleNamespace(split="evaluation", trained=True, prompt=lambda: Prompt("a face", phrase="beard"))
    domain.tier_card.prompts = [*domain.tier_card.prompts, unseen, seen, seen]
    assert training_phrases(domain) == {"blond hair": 1, "glasses": 1, "smiling": 1, "beard": 1}
    assert training_phrases(domain, [Prompt("x"), Prompt("x"), Prompt("y", phrase="z")]) == {"x": 2, "z": 1}
    with pytest.raises(UserError, match="at least one"):
        training_phrases(domain, [])


def test_presets_by_tier_and_kind():
    assert CARD.preset("full", "face") == {}
    assert CARD.preset("full", "scene") == {"identity_weight": 0.5, "background_weight": 0.0}
    mini = CARD.preset("mini", "animal")
    assert mini["background_weight"] == 0.0 and "steps_per_epoch" in mini
