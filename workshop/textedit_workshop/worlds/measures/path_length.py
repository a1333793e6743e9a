"""Perceptual path length: how much a picture changes on a tiny step between two latents.

    PPL = E[ d(G(at(t)), G(at(t + eps))) / eps^2 ],  t uniform in [0, 1]

Source: Karras et al. 2019 (StyleGAN, arXiv 1812.04948), sec. 4.1: spherical interpolation in Z, linear in W; from the
published code, the mean leaves out the 1 % at either end.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

STEP = 1e-4


def path_lengths(
    pictures: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    between: Callable[[Tensor, Tensor, Tensor], Tensor],
    ends: tuple[Tensor, Tensor],
    stream: torch.Generator,
    step: float = STEP,
    batch_size: int = 50,
) -> Tensor:
    """Compute one value per pair of ends, float64 [N].

    Args:
        pictures: latents [B, d] -> pictures.
        distance: two batches of pictures -> squared perceptual distances [B].
        between: ends and places t [B, 1] -> latents; `slerp` or `torch.lerp`.
        ends: latents [N, d] of either end.
        stream: draws the places.
        step: eps.
    """
    place = torch.rand(len(ends[0]), 1, generator=stream).to(ends[0])
    values = []
    for a, b, t in zip(*(part.split(batch_size) for part in (*ends, place)), strict=True):
        moved = distance(pictures(between(a, b, t)), pictures(between(a, b, t + step)))
        values.append(moved.double().cpu() / step**2)
    return torch.cat(values)


def trimmed_mean(values: Tensor) -> float:
    """Compute the mean of the values [N] from the 1st to the 99th percentile, inclusive."""
    low = values.quantile(0.01, interpolation="lower")
    high = values.quantile(0.99, interpolation="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Interpolate spherically at ``t`` [B, 1] from ``a`` to ``b`` [B, d], both normalised."""
    a, b = (x / x.norm(dim=1, keepdim=True) for x in (a, b))
    angle = t * (a * b).sum(1, keepdim=True).clamp(-1.0, 1.0).acos()
    across = b - (a * b).sum(1, keepdim=True) * a
    return a * angle.cos() + across / across.norm(dim=1, keepdim=True) * angle.sin()
