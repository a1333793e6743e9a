"""What the latent spaces of a generator are like: path lengths, and where the attributes are said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_workshop.worlds.figures import Figure, Sizes
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.measures.dci import dci
from textedit_workshop.worlds.measures.path_length import path_lengths, slerp, trimmed_mean
from textedit_workshop.worlds.training.pool import FRESH_SEED

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.world import World


@torch.no_grad()
def path_figures(domain: Domain, world: World, sizes: Sizes) -> list[Figure]:
    """Perceptual path lengths in Z and W, and their ratio."""
    generator, distance = domain.generator, domain.network("perceptual")
    stream = torch.Generator().manual_seed(FRESH_SEED + 3)
    z, other = (torch.randn(sizes.paths, generator.z_dim, generator=stream).to(domain.device) for _ in range(2))

    def pictures(w: Tensor) -> Tensor:
        return generator.synthesize(w).clamp(-1.0, 1.0)

    in_z = path_lengths(lambda x: pictures(generator.map(x)), distance, slerp, (z, other), stream)
    in_w = path_lengths(pictures, distance, torch.lerp, (generator.map(z), generator.map(other)), stream)
    values = {}
    for space, lengths in {"Z": in_z, "W": in_w}.items():
        values[f"path length in {space}"] = trimmed_mean(lengths)
        values[f"path length in {space}, median"] = float(lengths.median())
        values[f"path length in {space}, mean of all pairs"] = float(lengths.mean())
    ratio = values["path length in Z"] / values["path length in W"]
    return [
        *(Figure("paths", name, value, None, n=sizes.paths) for name, value in values.items()),
        Figure("paths", "path length, Z : W", ratio, 2.0, n=sizes.paths, up_to=10.0),
    ]


@torch.no_grad()
def code_figures(domain: Domain, world: World, sizes: Sizes) -> list[Figure]:
    """DCI of W and of the style space for the single attribute values."""
    generator = domain.generator
    z = torch.randn(sizes.codes, generator.z_dim, generator=torch.Generator().manual_seed(FRESH_SEED + 4))
    w = generator.map(z.to(domain.device))
    values = single_values(world, LatentFactors(world.space, generator.z_dim).factors(z).attributes)
    figures = []
    for space, codes in {"W": w, "S": generator.to_style(w)}.items():
        for name, value in dci(codes.cpu(), values)._asdict().items():
            figures.append(Figure("codes", f"{name} of {space}", value, None, n=sizes.codes))
    return figures


def single_values(world: World, attributes: Tensor) -> Tensor:
    """Whether each attribute value holds, bool [N, values]; of two values the second, since it says both."""
    columns = []
    for i, attribute in enumerate(world.attributes):
        first = 1 if len(attribute.values) == 2 else 0
        columns += [attributes[:, i] == value for value in range(first, len(attribute.values))]
    return torch.stack(columns, 1)
