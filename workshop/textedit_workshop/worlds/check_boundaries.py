"""Linear boundaries of W as CLIP draws them: how near to the true ones, and what an edit across one drags along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_methods.interfacegan.method import Boundary, extremes, separate
from textedit_workshop.worlds.check_generator import dependent_values
from textedit_workshop.worlds.figures import Figure, Sizes
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.training.pool import FRESH_SEED

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import Oracle
    from textedit_bench.models.stylegan2 import Generator
    from textedit_bench.prompt import Prompt
    from textedit_bench.worlds.world import World

SHARE, STEP = 0.1, 1.5
"""As InterFaceGAN is set in the mini tier: samples at either end, and the step in distances of the two groups."""
EDITS = 400
BATCH = 64


@dataclass(frozen=True)
class _Samples:
    """Codes [N, w_dim] with the value indices [N, A] they stand for, and CLIP's unit embeddings of their pictures."""

    codes: Tensor
    attributes: Tensor
    seen: Tensor


@torch.no_grad()
def boundary_figures(domain: Domain, world: World, sizes: Sizes) -> list[Figure]:
    """Cosines of CLIP's boundaries with the true ones, and the leak of every pair of correlated attributes."""
    generator = domain.generator
    stream = torch.Generator().manual_seed(FRESH_SEED + 5)
    z = torch.randn(sizes.boundaries, generator.z_dim, generator=stream)
    codes = generator.map(z.to(domain.device))
    seen = torch.cat([domain.clip.encode_image(generator.synthesize(part)) for part in codes.split(BATCH)])
    factors = LatentFactors(world.space, generator.z_dim).factors(z)
    samples = _Samples(codes.cpu(), factors.attributes, F.normalize(seen, dim=1).cpu())
    prompts = {
        p.attribute: p for split in ("train", "development", "evaluation") for p in domain.prompts(split).values()
    }
    cosines, clips = [], {}
    for prompt in prompts.values():
        wanted = world.value_indices(prompt.asked)
        if len(wanted) != 1:
            continue
        ((column, value),) = wanted.items()
        holds = samples.attributes[:, column] == value
        clips[column, value] = _of_clip(domain, world, prompt, samples)
        true = separate(samples.codes[holds], samples.codes[~holds])
        cosines.append(float(clips[column, value].normal @ true.normal))
    middle = float(torch.tensor(cosines).median())
    n = sizes.boundaries
    figures = [
        Figure(
            "boundaries", f"cosine of CLIP's with the true one, median of {len(cosines)} prompts", middle, None, n=n
        ),
        Figure("boundaries", "cosine of CLIP's with the true one, smallest", min(cosines), None, n=n),
    ]
    for attribute in world.attributes:
        if attribute.given is None:
            continue
        own, other = dependent_values(attribute)
        pair = (world.index(attribute.given[0]), other, world.index(attribute.name), own)
        parent = world.attributes[pair[0]]
        name = f"leak of {parent.name}={parent.values[other]} into {attribute.name}={attribute.values[own]}"
        boundary = clips.get((pair[0], other))
        if boundary is None:
            continue  # no prompt asks for it
        share, count = leak(generator, domain.network("oracle"), samples.codes, boundary, pair)
        figures.append(Figure("boundaries", name, share, 0.3, n=count, up_to=0.8, aim=True))
    return figures


def _of_clip(domain: Domain, world: World, prompt: Prompt, samples: _Samples) -> Boundary:
    """Between the samples that CLIP finds most and least like the prompt."""
    texts = [prompt.target, prompt.source or world.subject]
    target, source = F.normalize(domain.clip.encode_text(texts), dim=1).cpu()
    high, low = extremes(samples.seen @ (target - source), SHARE)
    return separate(samples.codes[high], samples.codes[low])


def leak(
    generator: Generator, oracle: Oracle, codes: Tensor, boundary: Boundary, pair: tuple[int, int, int, int]
) -> tuple[float, int]:
    """How often an edit that brings one attribute value brings the one that goes with it in the data.

    Args:
        generator: makes the pictures.
        oracle: reads them.
        codes: W [N, w_dim]; those count whose picture shows neither value.
        boundary: what the edit crosses, by `STEP` distances.
        pair: column and value that are asked for, column and value that go with them.

    Returns:
        The share, among edits after which the asked value is read, of those after which the other is read as well; nan
        where there are none. And the number of edits it is a share of.
    """
    column, value, dependent, dragged = pair
    device = generator.w_mean.device

    def read(w: Tensor) -> Tensor:
        return torch.cat(
            [oracle.predict(generator.synthesize(p.to(device)).clamp(-1.0, 1.0)).cpu() for p in w.split(BATCH)]
        )

    codes = codes[: 4 * EDITS]
    before = read(codes)
    known = (before[:, column] >= 0) & (before[:, dependent] >= 0)
    free = known & (before[:, column] != value) & (before[:, dependent] != dragged)
    after = read(codes[free][:EDITS] + STEP * boundary.distance * boundary.normal)
    brought = after[:, column] == value
    return float((after[brought, dependent] == dragged).float().mean()), int(brought.sum())
