"""Predict what a command is entangled with: texts that are true of the pictures it is true of, by the guiding CLIP.

Source: Xu et al. 2022 (arXiv 2111.13333), sec. 3.1, and the released ``randc.py`` and ``find_ancs.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.per_prompt import normalised

Classes = Mapping[str, Sequence[str]]
"""Class, such as a hair colour -> its texts."""
_LARGEST_RANK = 40
"""Ranks over all pictures count no further, as released: a text that is rare everywhere is not surprising anywhere."""

_SMALLEST_SPAN = 1e-6
"""Of cosines over pictures: the indicator divides by it, and one picture, or equal ones, have none."""


class Anchors(NamedTuple):
    """What an edit must leave alone.

    Attributes:
        texts: the anchors, the most entangled one first.
        embeddings: of CLIP, unit, [A, d].
        spans: largest minus smallest cosine over all pictures, of the command and of every anchor, [1 + A].
    """

    texts: tuple[str, ...]
    embeddings: Tensor
    spans: Tensor


def own_classes(words: str, group: str | None, classes: Classes, embed: Callable[[str], Tensor]) -> set[str]:
    """The classes that the command itself belongs to, whose texts are no anchors.

    That of its group or of its own words; else those of every text that is part of its words, so that a compound is
    not held back from what it asks for; else that of the text which CLIP finds nearest (the last two are ours).

    Args:
        words: of the command.
        group: its card's, or None.
        classes: every class.
        embed: text -> raw embedding [d].
    """
    command = normalised(words)
    if group is not None and group in classes:
        return {group}
    if found := {name for name, texts in classes.items() if command in map(normalised, texts)}:
        return found
    asked = set(command.split())
    if found := {name for name, texts in classes.items() if any(set(normalised(t).split()) <= asked for t in texts)}:
        return found
    flat = [(name, text) for name, texts in classes.items() for text in texts]
    if not flat:
        return set()
    alike = [float(F.cosine_similarity(embed(words), embed(text), dim=0)) for _, text in flat]
    return {flat[alike.index(max(alike))][0]}


def predict(
    words: str,
    own: set[str],
    classes: Classes,
    embed: Callable[[str], Tensor],
    seen: Tensor,
    *,
    aggregated: int = 100,
    count: int = 10,
    first_of_class: bool = False,
) -> Anchors:
    """The anchors of a command.

    Args:
        words: of the command.
        own: its classes (`own_classes`).
        classes: every class, at least one besides those of the command.
        embed: text -> raw embedding [d].
        seen: unit embeddings of pictures [N, d].
        aggregated: pictures nearest to the command in which the anchors are looked for.
        count: anchors, at most; one per class.
        first_of_class: keep the pictures of the class's FIRST text in place of those of the command, as released.
    """

    def unit(texts: Sequence[str]) -> Tensor:
        return F.normalize(torch.stack([embed(text) for text in texts]), dim=-1).to(seen)

    command = normalised(words)
    asked = set(command.split())
    rivals = [text for name in classes if name in own for text in classes[name]]
    if first_of_class:
        rivals = rivals or [words]
    else:  # a part of a compound is no rival of the whole
        rivals = [words, *(text for text in rivals if not set(normalised(text).split()) <= asked)]
    nearest = rank_pictures(seen @ unit([words])[0], seen @ unit(rivals).T)[:aggregated]
    candidates = [(name, text) for name, texts in classes.items() if name not in own for text in texts]
    texts = unit([text for _, text in candidates])
    distances = 1 - seen @ texts.T
    ranks = distances.double().sum(0).argsort(stable=True).argsort(stable=True) + 1
    chosen = choose(distances[nearest], [name for name, _ in candidates], ranks)[:count]
    cosines = torch.cat([seen @ unit([words]).T, seen @ texts[chosen].T], dim=1)
    spans = (cosines.max(0).values - cosines.min(0).values).clamp(min=_SMALLEST_SPAN)
    return Anchors(tuple(candidates[position][1] for position in chosen), texts[chosen], spans)


def rank_pictures(to_command: Tensor, to_class: Tensor) -> Tensor:
    """Positions of the pictures that a command is true of, the nearest first.

    Args:
        to_command: cosines of pictures and command, [N].
        to_class: cosines of pictures and the texts of the command's class, [N, k]. The first has to be the nearest of
            them; where it is so of no picture, all are kept.
    """
    order = (1 - to_command).argsort(stable=True)
    kept = order[(1 - to_class).argmin(dim=1)[order] == 0]
    return kept if len(kept) else order


def choose(distances: Tensor, classes: Sequence[str], ranks: Tensor) -> list[int]:
    """Positions of one text per class, those first that are nearer to these pictures than to most.

    Args:
        distances: one minus the cosine of the command's pictures and all candidates, [n, k].
        classes: of the candidates.
        ranks: of the candidates over all pictures, the nearest 1, [k].
    """
    order = distances.double().sum(0).argsort(stable=True)
    places = torch.arange(1, len(order) + 1, dtype=torch.float64, device=order.device)
    ratios = places / ranks.to(order.device)[order].clamp(max=_LARGEST_RANK)
    first: dict[str, int] = {}
    for position in order[ratios.argsort(stable=True)].tolist():
        first.setdefault(classes[position], position)
    return list(first.values())
