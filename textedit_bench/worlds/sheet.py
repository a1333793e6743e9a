"""Draw sheets of a world's pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

KINDS = ("renders", "samples", "inversions")


@torch.no_grad()
def pictures(domain: Domain, kind: str, number: int, seed: int) -> Tensor:
    """Return pictures of one kind.

    Args:
        domain: a domain of the mini tier.
        kind: ``renders`` of the training distribution, ``samples`` of the generator, or ``inversions``: renders and
            what the inverter and generator make of them, by turns.
        number: how many pictures; inversions count twice.
        seed: of the draw.

    Returns:
        [number, 3, H, W] in [-1, 1], twice as many of ``inversions``.

    Raises:
        UserError: an unknown kind, or a domain without a world.
    """
    generator = torch.Generator().manual_seed(seed)
    if kind == "samples":
        z = torch.randn(number, domain.generator.z_dim, generator=generator)
        w = domain.generator.map(z.to(domain.device))
        synthesized: Tensor = domain.generator.synthesize(domain.generator.broadcast(w))
        return synthesized
    if kind not in KINDS:
        raise unknown_choice("kind", kind, KINDS)
    if domain.world is None:
        raise UserError(f"dataset {domain.name}, tier {domain.tier} has no procedural world")
    images = domain.world.render(domain.world.sample(number, generator)).images.to(domain.device)
    if kind == "renders":
        return images
    inverted = domain.generator.synthesize(domain.inverter.encode(images))
    return torch.stack([images, inverted], 1).flatten(0, 1)
