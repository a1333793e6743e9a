"""The words and prompts of the car world say what the renderer knows."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from textedit_bench.data.card import read_card
from textedit_bench.worlds.captions import grammar_of
from textedit_bench.worlds.cars import CarWorld
from textedit_workshop.worlds.vocabulary import vocabulary

WORLD = CarWorld()
GRAMMAR = grammar_of(WORLD)
CARD = read_card(Path(str(files("textedit_datasets"))) / "car.yaml")
PROMPTS = CARD.tier("mini").prompts
VALUES = [(a.name, v) for a in WORLD.attributes for v in a.values]


def _words(*texts: str) -> set[str]:
    return {word for text in texts for word in text.replace(",", " ").split()}


@pytest.mark.parametrize(("attribute", "value"), VALUES)
def test_every_value_has_several_wordings_and_held_out_ones(attribute: str, value: str) -> None:
    said, held_out = GRAMMAR.phrases(attribute, value), GRAMMAR.phrases(attribute, value, held_out=True)
    assert len(set(said)) >= 4
    assert len(set(held_out)) >= 2
    assert not set(said) & set(held_out)


def test_no_phrase_stands_for_two_values() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for key in VALUES:
        said = GRAMMAR.wording(*key)
        for phrase in {*said.nouns, *said.adjectives, *said.clauses, *said.held_out}:
            assert seen.setdefault(phrase, key) == key, phrase


def test_every_word_has_a_token_and_held_out_wordings_bring_no_new_one() -> None:
    assert _words(*GRAMMAR.vocabulary()) <= set(vocabulary())
    trained: list[str] = []
    held_out: list[str] = []
    for key in VALUES:
        said = GRAMMAR.wording(*key)
        trained += [*said.nouns, *said.adjectives, *said.clauses]
        held_out += said.held_out
    assert _words(*held_out) <= _words(*trained)


def test_the_card_describes_the_world() -> None:
    mini = CARD.tier("mini")
    assert mini.world == f"{CarWorld.__module__}:{CarWorld.__qualname__}"
    assert (mini.resolution, mini.height) == (WORLD.resolution, WORLD.height)
    assert CARD.neutral == WORLD.subject == GRAMMAR.neutral
    assert mini.lacks() is None
    full = CARD.tier("full")
    assert full.height is not None and mini.height is not None
    assert full.height / full.resolution == mini.height / mini.resolution


def test_prompts_ask_for_what_there_is_in_words_that_have_a_token() -> None:
    for card in PROMPTS:
        prompt = card.prompt()
        assert WORLD.value_indices(prompt.asked), card.id
        assert prompt.source == CARD.neutral
        assert _words(prompt.target, prompt.phrase or "") <= set(vocabulary()), card.id


def test_the_standard_protocol_has_eight_trained_groups_and_four_prompts_that_nobody_trained_on() -> None:
    evaluation = [p for p in PROMPTS if p.split == "evaluation"]
    trained = [p for p in evaluation if p.trained]
    assert len(trained) == len({p.group for p in trained}) == 8
    assert all(len(p.prompt().asked) == 1 for p in trained)
    unseen = [p for p in evaluation if not p.trained]
    assert sorted(len(p.prompt().asked) for p in unseen) == [1, 1, 2, 2]
    assert sum(p.split == "development" for p in PROMPTS) == 6


def test_unseen_values_are_in_no_training_prompt() -> None:
    trained = {item for p in PROMPTS if p.trained for item in p.prompt().asked.items()}
    attributes = {name for name, _ in trained}
    unseen = [[*p.prompt().asked.items()] for p in PROMPTS if not p.trained]
    (value,), (attribute,) = [asked for asked in unseen if len(asked) == 1]
    assert value not in trained and value[0] in attributes
    assert attribute[0] not in attributes


def test_every_value_that_can_be_asked_for_is_asked_for_once() -> None:
    single = [item for p in PROMPTS if len(p.prompt().asked) == 1 for item in p.prompt().asked.items()]
    absences = {("headlights", "off"), ("spoiler", "none"), ("stripes", "none"), ("roof_rack", "none")}
    assert sorted(single) == sorted(set(VALUES) - absences)
