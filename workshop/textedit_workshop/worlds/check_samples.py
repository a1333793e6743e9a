"""Compare pictures of a generator with renders: of the same factors, and as a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from textedit_bench.metrics.frechet import fid
from textedit_workshop.worlds.embedding import FactorEmbedding
from textedit_workshop.worlds.figures import Figure, Sizes
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.training.pool import FRESH_SEED

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.world import World

BATCH = 100
FID_OF_SHARP = {"faces": 2.45, "cats": 12.0, "churches": 3.49, "cars": 18.0}
"""By world: the FID of 10,000 samples under a sharp mapping; other worlds may have 1.5 times as much."""


@torch.no_grad()
def factor_figures(domain: Domain, world: World, sizes: Sizes) -> list[Figure]:
    """Measure the oracle's agreement with factors at their codes in W.

    These are one corner per combination of values. A sample may lie between corners, where a soft mapping mixes two
    values and neither reading is right: `sample_figures` counts it.
    """
    oracle, generator = domain.network("oracle"), domain.generator
    embedding = FactorEmbedding(world.space, generator.w_dim)
    stream = torch.Generator().manual_seed(FRESH_SEED + 6)
    right, visible = [], []
    for start in range(0, sizes.renders, BATCH):
        factors = world.sample(min(BATCH, sizes.renders - start), stream)
        w = embedding.w(factors).to(domain.device)
        right.append(oracle.predict(generator.synthesize(w).clamp(-1.0, 1.0)).cpu() == factors.attributes)
        visible.append(world.render(factors).visible)
    agreed, shown = torch.cat(right), torch.cat(visible)
    scores = [float(agreed[shown[:, i], i].float().mean()) for i in range(agreed.shape[1])]
    n = sizes.renders
    return [
        Figure("factors", "oracle agreement at codes of factors, mean", sum(scores) / len(scores), 0.98, n=n),
        *(
            Figure("factors", f"oracle agreement at codes of factors, {attribute.name}", score, None, n=n)
            for attribute, score in zip(world.attributes, scores, strict=True)
        ),
    ]


@torch.no_grad()
def sample_figures(domain: Domain, world: World, sizes: Sizes) -> list[Figure]:
    """Measure distance, oracle agreement and FID of samples relative to renders.

    A z stands for factors, so every sample has a render that it should equal; attributes count where that shows them.
    The renders of the FID are of other factors.
    """
    oracle, features, generator = domain.network("oracle"), domain.network("features"), domain.generator
    latent = LatentFactors(world.space, generator.z_dim)
    stream = torch.Generator().manual_seed(FRESH_SEED + 2)
    distances, right, visible, made, drawn = [], [], [], [], []
    for start in range(0, sizes.samples, BATCH):
        z = torch.randn(min(BATCH, sizes.samples - start), generator.z_dim, generator=stream)
        factors = latent.factors(z)
        images = generator.synthesize(generator.map(z.to(domain.device))).clamp(-1.0, 1.0)
        render = world.render(factors)
        distances.append((images.cpu() - render.images).abs().mean((1, 2, 3)))
        right.append(oracle.predict(images).cpu() == factors.attributes)
        visible.append(render.visible)
        made.append(features(images).cpu())
        other = world.render(world.sample(len(z), stream)).images
        drawn.append(features(other.to(domain.device)).cpu())
    agreed, shown = torch.cat(right), torch.cat(visible)
    scores = [float(agreed[shown[:, i], i].float().mean()) for i in range(agreed.shape[1])]
    names = [attribute.name for attribute in world.attributes]
    n = sizes.samples
    mean = sum(scores) / len(scores)
    sharp = FID_OF_SHARP.get(world.name)
    return [
        Figure(
            "samples", "mean distance to renders of the same factors", float(torch.cat(distances).mean()), None, n=n
        ),
        Figure("samples", "oracle agreement with the factors, mean", mean, None, n=n),
        *(
            Figure("samples", f"oracle agreement with the factors, {name}", score, None, n=n)
            for name, score in zip(names, scores, strict=True)
        ),
        Figure(
            "samples",
            "FID to renders",
            fid(torch.cat(made), torch.cat(drawn)),
            None if sharp is None else 1.5 * sharp,
            at_most=True,
            n=n,
        ),
    ]
