"""Captions say what is true, in words that the table holds."""

from __future__ import annotations

from random import Random

import pytest
import torch

from textedit_bench.worlds.captions import Captions, Grammar, Wording, Words, cross, grammar_of
from textedit_bench.worlds.faces import FaceWorld
from textedit_workshop.worlds.vocabulary import vocabulary

WORLD = FaceWorld()
GRAMMAR = grammar_of(WORLD)


def _values() -> list[tuple[str, str]]:
    return [(a.name, v) for a in WORLD.attributes for v in a.values]


@pytest.mark.parametrize(("attribute", "value"), _values())
def test_every_value_has_several_wordings_and_held_out_ones(attribute: str, value: str) -> None:
    said, held_out = GRAMMAR.phrases(attribute, value), GRAMMAR.phrases(attribute, value, held_out=True)
    assert len(set(said)) >= 4
    assert held_out
    assert not set(said) & set(held_out)


def test_no_phrase_stands_for_two_values() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for attribute, value in _values():
        said = GRAMMAR.wording(attribute, value)
        for phrase in {*said.nouns, *said.adjectives, *said.clauses, *said.held_out}:
            assert seen.setdefault(phrase, (attribute, value)) == (attribute, value), phrase


def test_held_out_wordings_are_made_of_words_that_training_sees() -> None:
    trained: set[str] = set()
    for attribute, value in _values():
        said = GRAMMAR.wording(attribute, value)
        trained |= {w for phrase in (*said.nouns, *said.adjectives, *said.clauses) for w in phrase.split()}
    for attribute, value in _values():
        for phrase in GRAMMAR.phrases(attribute, value, held_out=True):
            assert set(phrase.split()) <= trained, phrase


def test_training_captions_never_use_a_held_out_wording() -> None:
    random = Random(0)
    for attribute, value in _values():
        held_out = set(GRAMMAR.phrases(attribute, value, held_out=True))
        for _ in range(20):
            text = GRAMMAR.caption({attribute: value}, random)
            assert text not in held_out
            assert not any(text == f"a face with {phrase}" for phrase in held_out)


def test_the_vocabulary_holds_every_word_of_the_grammar() -> None:
    words = {w for text in GRAMMAR.vocabulary() for w in text.replace("-", " ").split()}
    assert words <= set(vocabulary())


def test_captions_read_like_english() -> None:
    random = Random(1)
    factors = WORLD.sample(16, torch.Generator().manual_seed(0))
    said = GRAMMAR.sample(factors, torch.ones(16, len(WORLD.attributes), dtype=torch.bool), 200, random)
    for text in said.texts:
        assert "  " not in text
        assert not text.endswith((",", " with", " and"))
        assert " a a" not in text
        assert "a old" not in text


def test_every_caption_is_true_of_a_picture_it_was_drawn_from() -> None:
    factors = WORLD.sample(24, torch.Generator().manual_seed(1))
    visible = WORLD.render(factors).visible
    said = GRAMMAR.sample(factors, visible, 60, Random(2))
    true, known = said.truth(factors, visible)
    assert true.any(1).all()
    assert (known | ~true).all()


def test_truth_counts_hidden_attributes_as_unknown_and_visible_contradictions_as_false() -> None:
    factors = WORLD.sample(3, torch.Generator().manual_seed(0))
    factors.attributes[:] = 0
    column = WORLD.index("hair_color")
    factors.attributes[1, column] = 2
    factors.attributes[2, column] = 2
    visible = torch.ones(3, len(WORLD.attributes), dtype=torch.bool)
    visible[2, column] = False
    asked = torch.full((2, len(WORLD.attributes)), -1)
    asked[0, column] = 2
    true, known = Captions(["blond hair", "a face"], asked).truth(factors, visible)
    assert true.tolist() == [[False, True, False], [True, True, True]]
    assert known.tolist() == [[True, True, False], [True, True, True]]


def test_the_neutral_caption_is_the_subject_alone() -> None:
    assert GRAMMAR.neutral == WORLD.subject == "a face"
    assert GRAMMAR.caption({}, Random(0)).split(" ", 1)[0] in ("a", "an")


def test_another_world_brings_its_own_words() -> None:
    from textedit_bench.worlds.world import Attribute

    attribute = Attribute("fur", ("orange", "black"), (0.5, 0.5))
    table = {"fur": {c: cross(("{} fur", "a {} coat"), (c,)) for c in attribute.values}}
    cats = Grammar((attribute,), Words(("cat",), table))
    assert cats.neutral == "a cat"
    assert "orange fur" in cats.phrases("fur", "orange")
    assert cats.every_value(Random(0)).asked.tolist() == [[0], [1]]


def test_cross_holds_out_pairs_and_keeps_every_part() -> None:
    patterns, words = ("{} hair", "{} locks", "hair that is {}", "{} colored hair", "a {} hairdo"), ("red", "ginger")
    said = cross(patterns, words)
    assert isinstance(said, Wording)
    assert len(said.nouns) + len(said.held_out) == 10
    assert said.held_out
    for word in words:
        assert any(word in phrase for phrase in said.nouns)
    assert "an orange mood" in cross(("a {} mood",), ("orange",)).nouns
