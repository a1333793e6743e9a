"""Inversion by optimisation, for domains without an encoder: finds W or W+ codes whose images match given ones.

Source: Karras et al. 2020 (StyleGAN2), arXiv 1912.04958, appendix D, with the learning-rate and noise ramps given
there; noise maps stay fixed. Every image is its own problem: the result does not depend on the rest of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.finite import FiniteWatch
from textedit_bench.models.stylegan2 import Generator

Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class ProjectionSettings:
    """Settings of the optimisation; the defaults are the paper's."""

    space: Literal["w", "w+"] = "w+"
    """"w" keeps one code for all rows (edits better), "w+" one code per row (reconstructs better)."""
    steps: int = 1000
    """Adam steps."""
    lr: float = 0.1
    """Peak learning rate."""
    ramp_up: float = 0.05
    """Share of the steps in which the rate rises linearly from 0."""
    ramp_down: float = 0.25
    """Share of the steps in which it falls to 0 as a cosine."""
    noise: float = 0.05
    """Exploration noise on the codes at the start, in standard deviations of W."""
    noise_end: float = 0.75
    """Share of the steps after which that noise is gone."""
    seed: int = 0
    """Seed of the exploration noise."""

    def __post_init__(self) -> None:
        if self.space not in ("w", "w+"):
            raise ValueError(f"space {self.space!r} is none of 'w', 'w+'")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step (0-based)."""
        done = step / self.steps
        down = min(1.0, (1.0 - done) / self.ramp_down) if self.ramp_down else 1.0
        up = min(1.0, done / self.ramp_up) if self.ramp_up else 1.0
        return self.lr * (0.5 - 0.5 * math.cos(down * math.pi)) * up


@dataclass(frozen=True)
class Projection:
    """Result: `w_plus` (B, num_rows, w_dim) and the final `distance` of each image (B,)."""

    w_plus: Tensor
    distance: Tensor


def pyramid_distance(images: Tensor, targets: Tensor) -> Tensor:
    """Compute the mean squared difference (B,), averaged over the images and their 2x, 4x and 8x reductions.

    The default where no perceptual network is at hand; LPIPS is the published choice.
    """
    total = (images - targets).square().mean(dim=(1, 2, 3))
    for factor in (2, 4, 8):
        difference = F.avg_pool2d(images - targets, factor)
        total = total + difference.square().mean(dim=(1, 2, 3))
    return total / 4.0


def project(
    generator: Generator,
    targets: Tensor,
    settings: ProjectionSettings | None = None,
    distance: Distance = pyramid_distance,
    start: Tensor | None = None,
) -> Projection:
    """Optimise codes whose images, with the stored noise maps, are closest to `targets`.

    Args:
        generator: its parameters are not changed.
        targets: pictures (B, 3, R, R) in [-1, 1] at the generator's resolution.
        settings: space, steps and rates.
        distance: (images, targets) -> one differentiable number per image, (B,).
        start: W+ (B, num_rows, w_dim) to begin with; the mean of W if None.

    Raises:
        ValueError: targets or start of another shape.
        DivergedError: a distance became nan or infinite.
    """
    settings = settings or ProjectionSettings()
    side = generator.resolution
    if targets.dim() != 4 or tuple(targets.shape[1:]) != (3, side, side):
        raise ValueError(f"targets have shape {tuple(targets.shape)}, this generator needs (B, 3, {side}, {side})")
    codes = _first_codes(generator, len(targets), settings, start).to(targets).requires_grad_()
    spread = _w_deviation(generator).to(targets)
    optimizer = torch.optim.Adam([codes], betas=(0.9, 0.999))
    stream = torch.Generator().manual_seed(settings.seed)
    watch = FiniteWatch("inversion by projection")
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate(step)
        level = settings.noise * max(0.0, 1.0 - step / (settings.steps * settings.noise_end)) ** 2
        draw = sent(torch.randn(codes.shape[1:], generator=stream), codes.device, codes.dtype)  # one for all images
        images = generator.synthesize(codes + level * spread * draw)
        loss = distance(images, targets).sum()
        watch.note(step + 1, {"distance": loss})
        (codes.grad,) = torch.autograd.grad(loss, [codes])
        optimizer.step()
    watch.check()
    with torch.no_grad():
        w_plus = generator.broadcast(codes) if codes.dim() == 2 else codes
        w_plus = w_plus.detach().clone()
        return Projection(w_plus, distance(generator.synthesize(w_plus), targets))


def _first_codes(generator: Generator, batch: int, settings: ProjectionSettings, start: Tensor | None) -> Tensor:
    """Return the initial codes: W (B, w_dim) or W+ (B, num_rows, w_dim)."""
    if start is None:
        start = generator.broadcast(generator.w_mean.expand(batch, -1))
    if tuple(start.shape) != (batch, generator.num_rows, generator.w_dim):
        raise ValueError(f"start has shape {tuple(start.shape)}, not {(batch, generator.num_rows, generator.w_dim)}")
    return (start.mean(dim=1) if settings.space == "w" else start).detach().clone()


@torch.no_grad()
def _w_deviation(generator: Generator, samples: int = 2048) -> Tensor:
    """Compute the RMS distance of W from its mean, per sample, as the paper scales its noise; 0-d."""
    z = torch.randn(samples, generator.z_dim, generator=torch.Generator().manual_seed(0))
    w = generator.map(z.to(generator.w_mean))
    return (w - w.mean(dim=0)).square().sum(dim=1).mean().sqrt()
