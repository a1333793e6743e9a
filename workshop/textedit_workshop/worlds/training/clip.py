"""Contrastive training of the worlds' CLIPs with known truth of captions.

A short caption is true of many pictures of a batch. Treating only its own picture as the positive would push the others
away, so every true pair is a positive and pairs that cannot be decided (hidden attributes) take no part. Besides, every
step contrasts the values of each attribute with each other: those are the hard negatives, and without them fine
features such as the mouth are learned several times later.

Every step shows pictures of every world.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.models.clip import ClipModel
from textedit_bench.worlds.captions import Captions, Grammar, grammar_of
from textedit_bench.worlds.networks.clip import EMBED_DIM, TEXT, VISION, WorldClip, encode_short_text, merges_for
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.catalogue import every_world
from textedit_workshop.worlds.training.augment import augment
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.pool import FRESH_SEED, FRESH_SIZE, POOL_SEED, POOL_SIZE, Pool, cached_pool
from textedit_workshop.worlds.vocabulary import vocabulary

MAX_LOGIT_SCALE = 100.0
VALUE_WEIGHT = 2.0
IMAGES, CAPTIONS, FOREIGN = 112, 24, 12


def contrastive_loss(logits: Tensor, true: Tensor, known: Tensor) -> Tensor:
    """Compute the symmetric cross-entropy against all true pairs.

    Args:
        logits: scaled cosines of C captions and B pictures, [C, B].
        true: bool [C, B], the caption holds for the picture.
        known: bool [C, B], the pair takes part.

    Returns:
        Mean of the caption-to-picture and picture-to-caption losses, over rows that have a positive.
    """
    masked = logits.masked_fill(~known, -1e4)
    return 0.5 * (_one_way(masked, true) + _one_way(masked.T, true.T))


def _one_way(logits: Tensor, true: Tensor) -> Tensor:
    positives = true.sum(1)
    target = true.float() / positives.clamp(min=1)[:, None]
    losses = -(target * logits.log_softmax(1)).sum(1)
    # The entropy of the target is the least the loss can be; without it the figure reads as distance from perfect.
    return ((losses - positives.clamp(min=1).float().log()) * (positives > 0)).sum() / (positives > 0).sum().clamp(
        min=1
    )


def value_loss(logits: Tensor, values: Tensor, visible: Tensor, sizes: Sequence[int]) -> Tensor:
    """Compute the cross-entropy of each attribute's values, over pictures that show the attribute.

    Args:
        logits: scaled cosines of one caption per value with B pictures, [sum of sizes, B].
        values: true value indices [B, A].
        visible: bool [B, A].
        sizes: number of values of each attribute.
    """
    losses = [
        F.cross_entropy(part.T, values[:, i], reduction="none")[visible[:, i]]
        for i, part in enumerate(logits.split(sizes))
    ]
    return torch.cat(losses).sum() / visible.sum().clamp(min=1)


class WorldPart(NamedTuple):
    """The part of one world in a batch.

    ``captions`` and ``pictures`` are (first, last + 1) in the batch; the first captions say one attribute value each.
    ``values`` and ``visible`` are [B, A], ``sizes`` counts the values of each attribute.
    """

    captions: tuple[int, int]
    pictures: tuple[int, int]
    values: Tensor
    visible: Tensor
    sizes: list[int]


class ClipBatch(NamedTuple):
    """Pictures [B, 3, H, W] of all worlds, captions, and which captions are true of which pictures."""

    images: Tensor
    texts: list[str]
    true: Tensor
    known: Tensor
    parts: list[WorldPart]


class ClipBatches:
    """Pictures of the worlds' pools with captions, every world in every batch.

    Batches of one world each were tried first: batch normalisation then sees other statistics in training than in use,
    and the world that looks least like the others was misread (zero-shot 0.62 after 3,600 steps).

    Args:
        shown: pool and grammar of every world.
        images, captions: pictures and drawn captions per batch, shared out evenly among the worlds.
        foreign: captions that name their subject, so that they are known to be false of the other worlds.
        seed: batch ``step`` is a function of both.
    """

    def __init__(
        self, shown: Sequence[tuple[Pool, Grammar]], images: int, captions: int, foreign: int, seed: int
    ) -> None:
        self.shown = list(shown)
        worlds = len(self.shown)
        self.images, self.captions, self.foreign = images // worlds, captions // worlds, foreign // worlds
        self.seed = seed

    def __call__(self, step: int) -> ClipBatch:
        """Return the batch of a step."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        random = Random(self.seed * 1_000_003 + step)
        made = [self._world(pool, grammar, generator, random) for pool, grammar in self.shown]
        # Whether a caption such as "blue" holds for a picture of another world is not asked.
        true = torch.block_diag(*(part.true.float() for part in made)).bool()
        known = torch.block_diag(*(part.known.float() for part in made)).bool()
        texts = [text for part in made for text in part.texts]
        parts, row, column = [], 0, 0
        for part in made:
            (own,) = part.parts
            rows, columns = (row, row + len(part.texts)), (column, column + len(part.images))
            parts.append(own._replace(captions=rows, pictures=columns))
            row, column = rows[1], columns[1]
            # Captions that name their subject hold for no picture of another world.
            named = [other.about(random) for other in self._others(len(parts) - 1)]
            elsewhere = torch.zeros(len(named), true.shape[1], dtype=torch.bool)
            elsewhere[:, slice(*columns)] = True
            texts += named
            true, known = torch.cat([true, torch.zeros_like(elsewhere)]), torch.cat([known, elsewhere])
        return ClipBatch(torch.cat([part.images for part in made]), texts, true, known, parts)

    def _others(self, world: int) -> list[Grammar]:
        """Return grammars of the other worlds in turn, `foreign` of them."""
        others = [grammar for i, (_, grammar) in enumerate(self.shown) if i != world]
        return [others[i % len(others)] for i in range(self.foreign if others else 0)]

    def _world(self, pool: Pool, grammar: Grammar, generator: torch.Generator, random: Random) -> ClipBatch:
        index = torch.randint(len(pool), (self.images,), generator=generator)
        factors, visible = pool.factors[index], pool.visible[index]
        single = grammar.every_value(random)
        others = grammar.sample(factors, visible, self.captions, random)
        said = Captions(single.texts + others.texts, torch.cat([single.asked, others.asked]))
        sizes = [len(a.values) for a in grammar.attributes]
        part = WorldPart((0, 0), (0, 0), factors.attributes, visible, sizes)
        images = augment(pool.images(index), generator)
        return ClipBatch(images, said.texts, *said.truth(factors, visible), [part])


class ClipTraining(Trained):
    """Trains the open_clip network inside a `WorldClip`.

    Args:
        clip: what is trained.
        plan: length and place.
    """

    def __init__(self, clip: WorldClip, plan: Plan) -> None:
        super().__init__(plan)
        self.network: Any = clip.model.train().to(memory_format=torch.channels_last)
        self.tokenizer = clip.tokenizer

    def training_step(self, batch: ClipBatch) -> Tensor:
        """One step of both losses."""
        images = batch.images.contiguous(memory_format=torch.channels_last)
        pictures = F.normalize(self.network.encode_image(images), dim=1)
        said = F.normalize(encode_short_text(self.network, self.tokenizer(batch.texts)), dim=1)
        scale = self.network.logit_scale.exp().clamp(max=MAX_LOGIT_SCALE)
        logits = scale * said @ pictures.T
        contrast = contrastive_loss(logits, batch.true, batch.known)
        values = torch.stack([_values(logits, part) for part in batch.parts]).mean()
        self.log("contrast", contrast)
        self.log("values", values)
        self.log("scale", scale)
        return contrast + VALUE_WEIGHT * values


def _values(logits: Tensor, part: WorldPart) -> Tensor:
    (first, _), (start, end), count = part.captions, part.pictures, sum(part.sizes)
    return value_loss(logits[first : first + count, start:end], part.values, part.visible, part.sizes)


def zero_shot(
    clip: ClipModel, grammar: Grammar, pool: Pool, *, held_out: bool = False, seed: int = 0
) -> dict[str, float]:
    """Compute CLIP's zero-shot accuracy per attribute; every picture has its own random wordings.

    Args:
        clip: in eval mode.
        grammar: the wordings; where ``held_out``, those that training never saw, else those it saw.
        pool: fresh renders.
        seed: of the wordings.
    """
    random = Random(seed)
    subject = grammar.neutral
    with torch.no_grad():
        pictures = torch.cat([clip.encode_image(pool.images(slice(i, i + 256))) for i in range(0, len(pool), 256)])
        pictures = F.normalize(pictures, dim=1)
        scores: dict[str, float] = {}
        for column, attribute in enumerate(grammar.attributes):
            guesses = torch.full((len(pool), len(attribute.values)), -2.0)
            for value, name in enumerate(attribute.values):
                phrases = grammar.phrases(attribute.name, name, held_out)
                texts = [*phrases, *(f"{subject} with {p}" for p in phrases)]
                cosines = pictures @ F.normalize(clip.encode_text(texts), dim=1).T
                chosen = torch.tensor([random.randrange(len(texts)) for _ in range(len(pool))])
                guesses[:, value] = cosines.gather(1, chosen[:, None])[:, 0]
            seen = pool.visible[:, column]
            right = guesses.argmax(1) == pool.factors.attributes[:, column]
            scores[attribute.name] = float(right[seen].float().mean())
    return scores


def train(world: World, role: str, plan: Plan, pools: Path) -> tuple[WorldClip, float, dict[str, Any]]:
    """Train a guiding (``clip``) or evaluating (``judge_clip``) CLIP of all worlds.

    Args:
        world: not needed, the network is shared.
        role: which of the two.
        plan: of the training.
        pools: cache of rendered pictures.

    Returns:
        Network, seconds of training, and per world the zero-shot figures on fresh renders.
    """
    part = "judge" if role == "judge_clip" else "guide"
    merges = merges_for(vocabulary())
    clip = WorldClip(f"world-{part}", VISION[part], TEXT[part], merges, EMBED_DIM)
    plan.prepare(clip)
    worlds = every_world()
    shown = [(cached_pool(w, POOL_SIZE, POOL_SEED, pools), grammar_of(w)) for w in worlds]
    seconds = fit(ClipTraining(clip, plan), ClipBatches(shown, IMAGES, CAPTIONS, FOREIGN, plan.seed), plan)
    clip.eval()
    figures: dict[str, Any] = {}
    for w in worlds:
        fresh = cached_pool(w, FRESH_SIZE, FRESH_SEED, pools)
        said, held_out = (zero_shot(clip, grammar_of(w), fresh, held_out=held) for held in (False, True))
        figures[w.name] = {"zero_shot": said, "zero_shot_held_out": held_out}
    return clip, seconds, figures
