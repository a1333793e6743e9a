"""The census protocol: prompts for everything a world can show, each on photos on which it requires an edit.

Eight prompts are too small a sample to distinguish methods. The single values of a world are not a sample but the
whole population, so figures refer to exactly these prompts, and only the photos are sampled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from random import Random

import torch

from textedit_bench.bench.prompts import PlannedPrompt, slug
from textedit_bench.data.card import DatasetCard, PromptCard
from textedit_bench.metrics.column import OK
from textedit_bench.metrics.truth import states_of
from textedit_bench.prompt import Prompt, added, folded
from textedit_bench.seeds import seed_of
from textedit_bench.worlds.captions import find_grammar
from textedit_bench.worlds.world import World

COMPOUNDS = 24
"""Number of unseen prompts for two values at once; an interval over eight or fewer unseen prompts is meaningless."""
_BATCH = 64
_ARTICLE = re.compile(r"^an? ")


def census_prompts(card: DatasetCard, tier: str, world: World) -> list[PlannedPrompt]:
    """Return a prompt for every value of the world in two wordings, then for pairs of values.

    Values of the card's development prompts are excluded, since settings were chosen on them. If the card has a
    prompt for a value, it is the first wording; the second shares as few words with it as the world's captions allow.
    A world without captions has only the card's wordings. A single value counts as trained, in both wordings,
    if methods were trained on it; no compound does.
    """
    grammar = find_grammar(world)
    known = {tuple(prompt.prompt().asked.items()): prompt for prompt in card.tier(tier).prompts}
    own = {value[0]: prompt for value, prompt in known.items() if len(value) == 1}
    groups = {name: prompt.group for (name, _), prompt in own.items()}
    singles: dict[tuple[str, str], list[PlannedPrompt]] = {}
    for attribute in world.attributes:
        for value in attribute.values:
            prompt = own.get((attribute.name, value))
            if prompt is None or prompt.split != "development":
                group = groups.get(attribute.name) or attribute.name.replace("_", " ")
                nouns = grammar.phrases(attribute.name, value) if grammar is not None else ()
                if wordings := list(_wordings(card, nouns, attribute.name, value, group, prompt)):
                    singles[attribute.name, value] = wordings
    return [*(prompt for both in singles.values() for prompt in both), *_compounds(card, world, singles)]


def _wordings(
    card: DatasetCard, nouns: Sequence[str], attribute: str, value: str, group: str, own: PromptCard | None
) -> Iterator[PlannedPrompt]:
    trained = own is not None and own.trained
    name = slug(f"{attribute}-{value}")
    if own is not None:
        first = PlannedPrompt(own.id, own.prompt(), trained)
    elif nouns:
        first = PlannedPrompt(name, _prompt(card, nouns[0], group, f"{attribute}={value}"), trained)
    else:
        return
    yield first
    said = set(folded(first.prompt.words).split())
    others = [noun for noun in nouns if _bare(noun) != _bare(first.prompt.words)]
    if others:
        second = min(others, key=lambda noun: len(said & set(_bare(noun).split())) / len(_bare(noun).split()))
        yield PlannedPrompt(f"{name}-2", _prompt(card, second, group, f"{attribute}={value}"), trained)


def _compounds(
    card: DatasetCard, world: World, singles: Mapping[tuple[str, str], Sequence[PlannedPrompt]]
) -> Iterator[PlannedPrompt]:
    pairs = [(a, b) for a, b in combinations(singles, 2) if a[0] != b[0]]
    for both in Random(seed_of(census=world.name)).sample(pairs, min(COMPOUNDS, len(pairs))):
        words = " and ".join(singles[value][-1].prompt.words for value in both)
        asked = ",".join(map("=".join, both))
        name = slug("-and-".join(map("-".join, both)))
        yield PlannedPrompt(name, _prompt(card, words, "compound", asked), False)


def _prompt(card: DatasetCard, words: str, group: str, asked: str) -> Prompt:
    return Prompt(added(words, card.neutral), card.neutral, words, group, asked)


def _bare(noun: str) -> str:
    return _ARTICLE.sub("", folded(noun))


def choose_photos(
    world: World, split: str, available: int, prompts: Sequence[PlannedPrompt], count: int
) -> dict[str, tuple[int, ...]]:
    """Map each prompt id to the positions of the first photos on which its edit can be scored, at most ``count``.

    The ground truth of the renderer decides, never the result of a method: the requested attribute must be visible and
    must not have the requested value yet. A prompt for which no photo is suitable has an empty entry.
    """
    asked = {prompt.id: world.value_indices(prompt.prompt.asked) for prompt in prompts}
    found: dict[str, list[int]] = {prompt: [] for prompt in asked}
    for start in range(0, available, _BATCH):
        lacking = [prompt for prompt, there in found.items() if len(there) < count]
        if not lacking:
            break
        factors = world.split_factors(split, range(start, min(start + _BATCH, available)))
        with torch.no_grad():
            visible = world.render(factors).visible
        for prompt in lacking:
            states = states_of(factors.attributes, visible, asked[prompt])
            found[prompt] += [start + i for i, state in enumerate(states) if state == OK]
    return {prompt: tuple(there[:count]) for prompt, there in found.items()}
