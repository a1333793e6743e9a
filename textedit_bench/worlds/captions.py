"""Caption grammar: generates captions of pictures, and decides for which pictures a caption is true.

A world brings its words (`face_words.py` and its siblings); the grammar is the same for all. Some wordings are held
out: training never sees them, so that understanding can be distinguished from memorising. Both parts of a held-out
wording, the word and the phrase it stands in, occur in training, only never together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from random import Random

import torch
from torch import Tensor

from textedit_bench.worlds.world import Attribute, Factors, World


@dataclass(frozen=True)
class Wording:
    """The wordings of one value of one attribute.

    Attributes:
        nouns: phrases that stand alone or after "with", such as ``"blond hair"``.
        adjectives: words before the subject, such as ``"old"``.
        clauses: words after the subject, such as ``"wearing a hat"``.
        held_out: nouns that training never sees.
    """

    nouns: tuple[str, ...]
    adjectives: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """All wordings of one world.

    Attributes:
        subjects: what a picture shows, without an article; the first is the neutral one.
        table: attribute name -> value name -> `Wording`.
    """

    subjects: tuple[str, ...]
    table: Mapping[str, Mapping[str, Wording]]


def cross(patterns: Sequence[str], words: Sequence[str], **more: tuple[str, ...]) -> Wording:
    """Combine every pattern with every word; one pair in five, spread over both, is held out."""
    pairs = list(product(range(len(patterns)), range(len(words))))
    filled = {(i, j): re.sub(r"\ba (?=[aeiou])", "an ", patterns[i].format(words[j])) for i, j in pairs}
    said = [[filled[i, j] for i, j in pairs if ((i + 2 * j) % 5 == 4) is kept] for kept in (False, True)]
    return Wording(nouns=tuple(said[0]), held_out=tuple(said[1]), **more)


def a(noun: str) -> str:
    """Return the noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass(frozen=True)
class Captions:
    """A batch of captions.

    Attributes:
        texts: C captions.
        asked: value index each caption states of each attribute, -1 where it says nothing; int64 [C, A].
    """

    texts: list[str]
    asked: Tensor

    def truth(self, factors: Factors, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Return which captions are true for which pictures.

        Args:
            factors: B pictures.
            visible: bool [B, A]: the attribute can be seen in the picture.

        Returns:
            ``true`` and ``known``, bool [C, B]. A pair is unknown where nothing visible speaks against the caption but
            something it states is hidden.
        """
        asked, values = self.asked[:, None], factors.attributes[None]
        silent, agrees = asked < 0, asked == values
        true = (silent | (agrees & visible)).all(2)
        false = (~silent & ~agrees & visible).any(2)
        return true, true | false


class Grammar:
    """Generates captions of a world's pictures.

    Args:
        attributes: the world's categorical factors.
        words: how they are said.
    """

    def __init__(self, attributes: Sequence[Attribute], words: Words) -> None:
        self.attributes = tuple(attributes)
        self.words = words

    @property
    def neutral(self) -> str:
        """A text that names only the subject."""
        return a(self.words.subjects[0])

    def wording(self, attribute: str, value: str) -> Wording:
        """Return the wordings of one value."""
        return self.words.table[attribute][value]

    def phrases(self, attribute: str, value: str, held_out: bool = False) -> tuple[str, ...]:
        """Return every phrase for a single value; optionally the held-out ones."""
        said = self.wording(attribute, value)
        return said.held_out if held_out else said.nouns

    def vocabulary(self) -> list[str]:
        """Return all texts of the grammar."""
        texts = [*self.words.subjects, "a an with and picture of photo"]
        for values in self.words.table.values():
            for said in values.values():
                texts += [*said.nouns, *said.adjectives, *said.clauses, *said.held_out]
        return texts

    def caption(self, stated: Mapping[str, str], random: Random) -> str:
        """Generate one caption that states the given values, in random wordings."""
        parts: dict[str, list[str]] = {"nouns": [], "adjectives": [], "clauses": []}
        for attribute in random.sample(list(stated), len(stated)):
            said = self.wording(attribute, stated[attribute])
            kinds = ["nouns", *(k for k in ("adjectives", "clauses") if getattr(said, k))]
            kind = random.choice(kinds)
            parts[kind].append(random.choice(getattr(said, kind)))
        if stated and random.random() < 0.4:
            return self._bare(parts, random)
        subject = " ".join([*parts["adjectives"], random.choice(self.words.subjects)])
        text = a(subject)
        if random.random() < 0.1:
            text = f"{random.choice(('a picture of', 'a photo of'))} {text}"
        if parts["nouns"]:
            text += f" with {_listed(parts['nouns'])}"
        if parts["clauses"]:
            text += f" {_listed(parts['clauses'])}"
        return text

    def about(self, random: Random) -> str:
        """Return the neutral text, or a value of one attribute with the subject's name."""
        if random.random() < 0.3:
            return self.neutral
        attribute = random.choice(self.attributes)
        said = self.wording(attribute.name, random.choice(attribute.values))
        return f"{a(random.choice(self.words.subjects))} with {random.choice(said.nouns)}"

    def _bare(self, parts: Mapping[str, list[str]], random: Random) -> str:
        """Return the phrases without a subject, articles dropped half of the time: "mohawk", "old with a beard"."""
        nouns = parts["nouns"]
        if random.random() < 0.5:
            nouns = [re.sub(r"^an? ", "", n) for n in nouns]
        if parts["adjectives"] and nouns and random.random() < 0.5:
            return " ".join([*parts["adjectives"], "with", _listed(nouns), *parts["clauses"]])
        phrases = [*parts["adjectives"], *nouns, *parts["clauses"]]
        return _listed(phrases) if random.random() < 0.5 else ", ".join(phrases)

    def every_value(self, random: Random) -> Captions:
        """Return one caption for every value of every attribute, in order."""
        texts, asked = [], []
        for column, attribute in enumerate(self.attributes):
            for index, value in enumerate(attribute.values):
                texts.append(self.caption({attribute.name: value}, random))
                asked.append([index if i == column else -1 for i in range(len(self.attributes))])
        return Captions(texts, torch.tensor(asked))

    def sample(self, factors: Factors, visible: Tensor, count: int, random: Random) -> Captions:
        """Generate ``count`` captions, each true of a picture; most state several attributes, some none."""
        texts, asked = [], torch.full((count, len(self.attributes)), -1)
        shown = [torch.nonzero(row).flatten().tolist() for row in visible]
        for row in range(count):
            picture = random.randrange(len(factors))
            size = random.choice((0, 1, 2, 2, 2, 3, 3, 4))
            chosen = random.sample(shown[picture], min(size, len(shown[picture])))
            stated = {}
            for i in chosen:
                index = int(factors.attributes[picture, i])
                asked[row, i] = index
                stated[self.attributes[i].name] = self.attributes[i].values[index]
            texts.append(self.caption(stated, random))
        return Captions(texts, asked)


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def find_grammar(world: World) -> Grammar | None:
    """Return the grammar of a world; None if it has no captions, as worlds of other packages may."""
    return grammar_of(world) if world.words else None


def grammar_of(world: World) -> Grammar:
    """Return the grammar of a world that has captions."""
    module, _, name = world.words.partition(":")
    return Grammar(world.attributes, getattr(import_module(module), name))
