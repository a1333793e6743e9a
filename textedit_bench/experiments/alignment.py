"""Measure whether differences of pictures and texts align better than pictures and texts (arXiv 2303.06285)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from textedit_bench.bench.shards import BATCH
from textedit_bench.experiments.experiment import Alignment
from textedit_bench.experiments.intervals import jackknife_interval
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import ClipRole

CLIP, DELTA = "CLIP space", "delta space"
HEADINGS = {
    "cosine_matched": Heading("Cosine, matched", True, 3),
    "cosine_shuffled": Heading("Cosine, shuffled", None, 3),
    "mean_gap": Heading("Distance of the means", False, 3),
    "recall_at_1": Heading("Recall at 1", True, 3),
}
TITLES = {"clip": "guiding CLIP", "judge_clip": "judging CLIP"}
STATED = 4
"""Attributes that a caption states at most; as many as the longest caption the world's texts were made of."""
BLOCKS = 20
Rows = NDArray[np.float64]


def measure_alignment(part: Alignment, domain: Domain, seed: int) -> list[Measured]:
    """Measure both spaces of every network, on evaluation pictures with true captions.

    Captions exist for pictures of a world; real photos need a captioned set, which no card has yet.
    """
    rows: list[Measured] = []
    if domain.world is not None:
        photos = domain.photos("evaluation", part.images)
        texts = true_captions(domain, photos.factors, seed)
    for role in part.networks:
        if domain.world is not None:
            images = _image_rows(domain, role, photos.images)
            words = np.asarray(domain.network(role).encode_text(texts).float().cpu(), np.float64)
            pairs = {CLIP: (unit(images), unit(words)), DELTA: differences(unit(images), unit(words), seed)}
        for space in (CLIP, DELTA):
            for metric, heading in HEADINGS.items():
                base = Measured(
                    dataset=domain.name,
                    method=role,
                    title=TITLES[role],
                    setting=space,
                    metric=metric,
                    heading=heading,
                    state="" if domain.world is not None else "no captions of these photos",
                )
                rows.append(_measured(base, *pairs[space]) if domain.world is not None else base)
    return rows


def alignment(images: Rows, texts: Rows, metric: str) -> float:
    """Compute one figure of paired unit rows [N, d]; see `HEADINGS`."""
    if metric == "mean_gap":
        return float(np.linalg.norm(images.mean(0) - texts.mean(0)))
    cosines = texts @ images.T
    if metric == "recall_at_1":
        return float((cosines.argmax(1) == np.arange(len(cosines))).mean())
    own = float(np.trace(cosines))
    n = len(cosines)
    return own / n if metric == "cosine_matched" else float((cosines.sum() - own) / (n * (n - 1)))


def differences(images: Rows, texts: Rows, seed: int) -> tuple[Rows, Rows]:
    """Compute unit differences to a partner, a different row for each; equal partners are excluded."""
    order = np.random.default_rng(seed_of("partners", seed=seed) % 2**32).permutation(len(images))
    partner = np.empty(len(images), np.int64)
    partner[order] = np.roll(order, 1)
    moved, said = images - images[partner], texts - texts[partner]
    there = (np.linalg.norm(moved, axis=1) > 1e-6) & (np.linalg.norm(said, axis=1) > 1e-6)
    return unit(moved[there]), unit(said[there])


def unit(rows: Rows) -> Rows:
    """Normalise rows to unit length."""
    scaled: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def true_captions(domain: Domain, factors: object, seed: int) -> list[str]:
    """Generate one caption per picture with up to `STATED` of its visible attributes."""
    from textedit_bench.worlds.captions import grammar_of
    from textedit_bench.worlds.world import Factors

    world = domain.world
    assert world is not None and isinstance(factors, Factors)
    grammar, random = grammar_of(world), Random(seed)
    visible = world.render(factors).visible
    captions = []
    for values, shown in zip(factors.attributes.tolist(), visible, strict=True):
        seen = torch.nonzero(shown).flatten().tolist()
        chosen = random.sample(seen, min(STATED, len(seen)))
        stated = {world.attributes[i].name: world.attributes[i].values[values[i]] for i in chosen}
        captions.append(grammar.caption(stated, random))
    return captions


@torch.no_grad()
def _image_rows(domain: Domain, role: ClipRole, images: torch.Tensor) -> Rows:
    network = domain.network(role)
    parts = [network.encode_image(part, preprocessing="correct").float().cpu() for part in images.split(BATCH)]
    return np.asarray(torch.cat(parts), np.float64)


def _measured(base: Measured, images: Rows, texts: Rows) -> Measured:
    value, low, high = jackknife_interval(
        len(images), lambda rows: alignment(images[rows], texts[rows], base.metric), blocks=BLOCKS
    )
    return Measured(**{**base.__dict__, "value": value, "low": low, "high": high, "n": len(images)})
