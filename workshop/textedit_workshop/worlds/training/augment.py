"""Light degradations, so that networks generalise from rendered to generated pictures."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, generator: torch.Generator, shift: int = 2, degraded: bool = True) -> Tensor:
    """Shift, blur, brighten and add noise to pictures [B, 3, H, W] in [-1, 1], independently.

    Args:
        images: not modified.
        generator: source of randomness.
        shift: largest displacement in pixels.
        degraded: soften and add noise too; not for networks that have to notice such things.
    """
    count = len(images)
    images = _shifted(images, shift, generator)
    if degraded:
        images = degrade(images, generator)
    gain = 1.0 + 0.10 * (torch.rand(count, 1, 1, 1, generator=generator) - 0.5)
    offset = 0.10 * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
    return (images * gain + offset).clamp(-1.0, 1.0)


def degrade(images: Tensor, generator: torch.Generator) -> Tensor:
    """Degrade pictures like reconstructions: blur, loss of resolution, noise; a quarter of the batch each, one kept.

    Blur has a standard deviation of 0.4 to 1.0 pixels; resolution falls to 3/4; noise is up to 0.08 of [-1, 1].
    """
    images = images.clone()
    blurred, small, noisy, _ = torch.randperm(len(images), generator=generator).tensor_split(4)
    if len(blurred):
        sigma = 0.4 + 0.6 * float(torch.rand((), generator=generator))
        images[blurred] = blur(images[blurred], sigma)
    if len(small):
        side = images.shape[-1]
        reduced = F.interpolate(images[small], size=side * 3 // 4, mode="bilinear", antialias=True)
        images[small] = F.interpolate(reduced, size=side, mode="bicubic")
    if len(noisy):
        some = images[noisy]
        scale = 0.08 * torch.rand(len(some), 1, 1, 1, generator=generator)
        images[noisy] = some + scale * torch.randn(some.shape, generator=generator)
    return images.clamp(-1.0, 1.0)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Apply a Gaussian blur with a 5-pixel kernel, edges repeated."""
    offsets = torch.arange(-2.0, 3.0)
    line = torch.exp(-0.5 * (offsets / sigma) ** 2)
    line = line / line.sum()
    channels = images.shape[1]
    x = F.pad(images, (2, 2, 2, 2), mode="replicate")
    x = F.conv2d(x, line.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(x, line.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)


def _shifted(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Shift each quarter of the batch by its own displacement, edges repeated."""
    if shift == 0:
        return images
    padded = F.pad(images, (shift,) * 4, mode="replicate")
    height, width = images.shape[-2:]
    parts = []
    for part in padded.tensor_split(4):
        y, x = torch.randint(0, 2 * shift + 1, (2,), generator=generator).tolist()
        parts.append(part[..., y : y + height, x : x + width])
    return torch.cat(parts)
