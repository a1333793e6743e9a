"""The church world's words fit the shared token table, and its card asks for what the world has."""

from __future__ import annotations

from importlib.resources import as_file, files
from random import Random

import pytest
import torch

from textedit_bench.data.card import DatasetCard, read_card
from textedit_bench.worlds.captions import grammar_of
from textedit_bench.worlds.churches import ChurchWorld
from textedit_workshop.worlds.vocabulary import vocabulary

WORLD = ChurchWorld()
GRAMMAR = grammar_of(WORLD)
VALUES = [(a.name, v) for a in WORLD.attributes for v in a.values]


def _trained(attribute: str, value: str) -> tuple[str, ...]:
    said = GRAMMAR.wording(attribute, value)
    return (*said.nouns, *said.adjectives, *said.clauses)


@pytest.fixture(scope="module")
def card() -> DatasetCard:
    with as_file(files("textedit_datasets") / "church.yaml") as path:
        return read_card(path)


@pytest.mark.parametrize(("attribute", "value"), VALUES)
def test_every_value_has_several_wordings_and_held_out_ones(attribute: str, value: str) -> None:
    said, held_out = GRAMMAR.phrases(attribute, value), GRAMMAR.phrases(attribute, value, held_out=True)
    assert len(set(said)) >= 5
    assert len(set(held_out)) >= 2
    assert not set(_trained(attribute, value)) & set(held_out)


def test_no_phrase_stands_for_two_values() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for key in VALUES:
        for phrase in {*_trained(*key), *GRAMMAR.phrases(*key, held_out=True)}:
            assert seen.setdefault(phrase, key) == key, phrase


def test_the_shared_vocabulary_holds_every_word() -> None:
    words = {w for text in GRAMMAR.vocabulary() for w in text.replace("-", " ").split()}
    assert words <= set(vocabulary())


def test_held_out_wordings_are_made_of_words_that_training_sees() -> None:
    trained = {w for key in VALUES for phrase in _trained(*key) for w in phrase.split()}
    for key in VALUES:
        for phrase in GRAMMAR.phrases(*key, held_out=True):
            assert set(phrase.split()) <= trained, phrase


def test_captions_are_true_of_a_picture_and_read_like_english() -> None:
    factors = WORLD.sample(24, torch.Generator().manual_seed(1))
    visible = WORLD.render(factors).visible
    said = GRAMMAR.sample(factors, visible, 100, Random(2))
    assert said.truth(factors, visible)[0].any(1).all()
    for text in said.texts:
        assert "  " not in text and " a a" not in text
        assert not text.endswith((",", " with", " and"))


def test_the_card_names_this_world_and_its_subject(card: DatasetCard) -> None:
    mini = card.tier("mini")
    module, _, name = (mini.world or "").partition(":")
    assert (module, name) == (ChurchWorld.__module__, ChurchWorld.__name__)
    assert mini.resolution == WORLD.resolution
    assert card.neutral == WORLD.subject == GRAMMAR.neutral
    assert card.tier("full").resolution == 256


def test_the_standard_protocol_has_eight_trained_prompts_of_eight_groups_and_four_unseen_ones(
    card: DatasetCard,
) -> None:
    evaluation = [p for p in card.tier("mini").prompts if p.split == "evaluation"]
    standard = [p for p in evaluation if p.trained]
    assert len(standard) == 8 == len({p.group for p in standard})
    assert all(len(p.prompt().asked) == 1 for p in standard)
    assert sorted(len(p.prompt().asked) for p in evaluation if not p.trained) == [1, 1, 2, 2]
    assert sum(p.split == "development" for p in card.tier("mini").prompts) == 6


def test_prompts_ask_for_values_of_this_world_in_its_words(card: DatasetCard) -> None:
    known = set(vocabulary())
    for prompt in card.tier("mini").prompts:
        assert WORLD.value_indices(prompt.prompt().asked), prompt.id
        assert set(f"{prompt.target} {prompt.phrase}".split()) <= known, prompt.id
        if len(prompt.prompt().asked) == 1:
            ((name, value),) = prompt.prompt().asked.items()
            wordings = {text.removeprefix("a ") for text in _trained(name, value)}
            assert prompt.phrase in wordings, f"{prompt.id}: training never says it so"


def test_unseen_prompts_are_not_taught_by_a_trained_one(card: DatasetCard) -> None:
    trained = {p.attribute for p in card.tier("mini").prompts if p.trained}
    for prompt in card.tier("mini").prompts:
        if not prompt.trained:
            assert prompt.attribute not in trained, prompt.id
    assert not any("tower_front" in (attribute or "") for attribute in trained), "a whole attribute is held out"
