"""Contrastive training of the worlds' CLIPs with the ground truth of what a caption is true of.

A short caption is true of many pictures of a batch. Treating only its own picture as the positive would push the others
away, so every true pair is a positive and pairs that cannot be decided (hidden attributes) take no part. Besides, every
step contrasts the values of each attribute with each other: those are the hard negatives, and without them fine
features such as the mouth are learned several times later.

Every step shows pictures of one world, together with some captions of the others, which hold for none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.worlds.captions import Captions, Grammar, grammar_of
from textedit_bench.worlds.catalogue import every_world
from textedit_bench.worlds.networks.clip import EMBED_DIM, TEXT, VISION, WorldClip, encode_short_text
from textedit_bench.worlds.tokenizer import merges_for
from textedit_bench.worlds.training.augment import augment
from textedit_bench.worlds.training.fit import Plan, Trained, fit
from textedit_bench.worlds.training.pool import FRESH_SEED, FRESH_SIZE, POOL_SEED, POOL_SIZE, Pool, cached_pool
from textedit_bench.worlds.vocabulary import vocabulary
from textedit_bench.worlds.world import World

MAX_LOGIT_SCALE = 100.0
VALUE_WEIGHT = 2.0
IMAGES, CAPTIONS, FOREIGN = 112, 24, 12


def contrastive_loss(logits: Tensor, true: Tensor, known: Tensor) -> Tensor:
    """Symmetric cross-entropy against all true pairs.

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
    """Cross-entropy of each attribute's values against each other, over pictures that show the attribute.

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


class ClipBatch(NamedTuple):
    """Pictures [B, 3, H, W] of a world, captions (one per attribute value, then others), and what is true of what.

    ``sizes`` counts the values of each attribute.
    """

    images: Tensor
    texts: list[str]
    true: Tensor
    known: Tensor
    values: Tensor
    visible: Tensor
    sizes: list[int]


class ClipBatches:
    """Pictures of the worlds' pools with captions.

    Args:
        shown: pool and grammar of every world; a step takes one of them at random.
        images, captions, foreign: pictures, true captions, and captions of other worlds per batch.
        seed: batch ``step`` is a function of both.
    """

    def __init__(
        self, shown: Sequence[tuple[Pool, Grammar]], images: int, captions: int, foreign: int, seed: int
    ) -> None:
        self.shown = list(shown)
        self.images, self.captions, self.foreign, self.seed = images, captions, foreign, seed

    def __call__(self, step: int) -> ClipBatch:
        """The batch of a step."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        random = Random(self.seed * 1_000_003 + step)
        chosen = random.randrange(len(self.shown))
        pool, grammar = self.shown[chosen]
        index = torch.randint(len(pool), (self.images,), generator=generator)
        factors, visible = pool.factors[index], pool.visible[index]
        single = grammar.every_value(random)
        others = grammar.sample(factors, visible, self.captions, random)
        said = Captions(single.texts + others.texts, torch.cat([single.asked, others.asked]))
        true, known = said.truth(factors, visible)
        foreign = self._foreign(chosen, random)
        rows = (0, 0, 0, len(foreign))
        return ClipBatch(
            augment(pool.images(index), generator),
            said.texts + foreign,
            F.pad(true, rows, value=False),
            F.pad(known, rows, value=True),
            factors.attributes,
            visible,
            [len(a.values) for a in grammar.attributes],
        )

    def _foreign(self, chosen: int, random: Random) -> list[str]:
        """Captions that name the subject of another world, so that they hold for no picture of this one."""
        others = [grammar for i, (_, grammar) in enumerate(self.shown) if i != chosen]
        return [random.choice(others).about(random) for _ in range(self.foreign if others else 0)]


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
        values = value_loss(logits[: sum(batch.sizes)], batch.values, batch.visible, batch.sizes)
        self.log("contrast", contrast)
        self.log("values", values)
        self.log("scale", scale)
        return contrast + VALUE_WEIGHT * values


def zero_shot(
    clip: WorldClip, grammar: Grammar, pool: Pool, *, held_out: bool = False, seed: int = 0
) -> dict[str, float]:
    """Share of pictures, per attribute, whose value CLIP names; every picture hears its own wordings, drawn at random.

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
    """A guiding (``clip``) or judging (``judge_clip``) CLIP of all worlds.

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
