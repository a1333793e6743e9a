"""The cats' words are true, varied and in the token table; the card asks for what the world has."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

import textedit_datasets
from textedit_bench.data.card import DatasetCard, PromptCard, read_card
from textedit_bench.worlds.captions import grammar_of
from textedit_bench.worlds.cats import CatWorld
from textedit_workshop.worlds.vocabulary import vocabulary

WORLD = CatWorld()
GRAMMAR = grammar_of(WORLD)
VALUES = [(a.name, v) for a in WORLD.attributes for v in a.values]


def _card() -> DatasetCard:
    return read_card(Path(next(iter(textedit_datasets.__path__))) / "cat.yaml")


def _prompts() -> list[PromptCard]:
    return list(_card().tier("mini").prompts)


@pytest.mark.parametrize(("attribute", "value"), VALUES)
def test_every_value_has_several_wordings_and_held_out_ones(attribute: str, value: str) -> None:
    said, held_out = GRAMMAR.phrases(attribute, value), GRAMMAR.phrases(attribute, value, held_out=True)
    assert len(set(said)) >= 5
    assert len(set(held_out)) >= 2
    assert not set(said) & set(held_out)


def test_no_phrase_stands_for_two_values() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for attribute, value in VALUES:
        said = GRAMMAR.wording(attribute, value)
        for phrase in {*said.nouns, *said.adjectives, *said.clauses, *said.held_out}:
            assert seen.setdefault(phrase, (attribute, value)) == (attribute, value), phrase


def test_the_table_names_exactly_the_attributes_and_values_of_the_world() -> None:
    table = {name: tuple(values) for name, values in GRAMMAR.words.table.items()}
    assert table == {a.name: a.values for a in WORLD.attributes}


def test_held_out_wordings_are_made_of_words_that_training_sees() -> None:
    trained: set[str] = set()
    for attribute, value in VALUES:
        said = GRAMMAR.wording(attribute, value)
        trained |= {w for phrase in (*said.nouns, *said.adjectives, *said.clauses) for w in phrase.split()}
    for attribute, value in VALUES:
        for phrase in GRAMMAR.phrases(attribute, value, held_out=True):
            assert set(phrase.split()) <= trained, phrase


def test_the_vocabulary_holds_every_word_of_the_grammar() -> None:
    assert {w for text in GRAMMAR.vocabulary() for w in text.split()} <= set(vocabulary())


def test_captions_read_like_english() -> None:
    random = Random(1)
    assert GRAMMAR.neutral == WORLD.subject == "a cat"
    for attribute, value in VALUES:
        for _ in range(10):
            text = GRAMMAR.caption({attribute: value}, random)
            assert "  " not in text and not text.endswith((",", " with", " and"))
            words = text.split()
            for article, word in pairwise(words):
                assert article not in ("a", "an") or (word[0] in "aeiou") == (article == "an"), text


def test_the_card_is_valid_and_renders_this_world() -> None:
    card = _card()
    assert card.name == "cat" and card.kind == "animal" and card.neutral == WORLD.subject
    mini, full = card.tier("mini"), card.tier("full")
    assert mini.world == f"{CatWorld.__module__}:{CatWorld.__name__}" and mini.resolution == WORLD.resolution
    assert full.resolution == 256 and "encoder" not in full.networks


@pytest.mark.parametrize("prompt", _prompts(), ids=lambda p: p.id)
def test_prompts_ask_for_values_of_the_world_in_its_words(prompt: PromptCard) -> None:
    assert prompt.attribute and prompt.phrase and prompt.source == WORLD.subject
    asked = dict(part.split("=") for part in prompt.attribute.split(","))
    WORLD.with_values(WORLD.split_factors("train", [0]), asked)
    assert (len(asked) > 1) == (prompt.group == "compound")
    for words in (prompt.target, prompt.phrase):
        assert set(words.split()) <= set(vocabulary())
    if len(asked) == 1:
        ((attribute, value),) = asked.items()
        said = GRAMMAR.wording(attribute, value)
        known = {*said.nouns, *said.adjectives, *(n.removeprefix("a ") for n in said.nouns)}
        assert prompt.phrase in known, "training sees the phrase as a caption"


def test_the_standard_protocol_is_eight_trained_groups_and_four_unseen_prompts() -> None:
    prompts = _prompts()
    evaluation = [p for p in prompts if p.split == "evaluation"]
    standard = [p for p in evaluation if p.trained]
    assert len(standard) == 8 and len({p.group for p in standard}) == 8
    unseen = [p for p in evaluation if not p.trained]
    assert len(unseen) == 4 and sum(p.group == "compound" for p in unseen) == 2
    assert sum(p.split == "development" for p in prompts) == 6
    assert all(p.trained for p in prompts if p.split != "evaluation")
    trained = {p.attribute for p in prompts if p.trained}
    held_out = {p.attribute for p in unseen if p.group != "compound"}
    assert held_out == {"fur_color=gray", "hat=hat"} and not held_out & trained
    for attribute, value in VALUES:
        name = f"{attribute}={value}"
        assert name in trained | held_out | {"hat=none"}, f"{name} is never asked for"
