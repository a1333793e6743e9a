"""Two ways of preprocessing pictures in [-1, 1] of any size for CLIP.

The published losses (arXiv 2103.17249, 2210.07883, 2303.06285) enlarge by 7 with nearest neighbours and average-pool
down to 224, a 7168-pixel intermediate for a 1024-pixel picture. Both steps are linear and separable and together
average each output pixel over its exact share of the input, so one small matrix per axis gives the same numbers.
They also skip CLIP's mean and std and leave the range at [-1, 1] (issue 38 of the first one's repository);
networks trained that way expect it, metrics must not use it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def _area_block(source: int, target: int, device: torch.device, dtype: torch.dtype) -> tuple[int, Tensor]:
    """Return the repeating block of the area-averaging matrix from `source` to `target` samples, cached per device.

    Output sample o is the mean over [o, o + 1) * source / target. With g = gcd(source, target) the matrix is g equal
    blocks of shape (target / g, source / g), computed in float64.
    """
    blocks = math.gcd(source, target)
    rows, columns = target // blocks, source // blocks
    edges_out = torch.arange(rows + 1, dtype=torch.float64) * columns / rows
    edges_in = torch.arange(columns + 1, dtype=torch.float64)
    overlap = torch.minimum(edges_out[1:, None], edges_in[1:]) - torch.maximum(edges_out[:-1, None], edges_in[:-1])
    return blocks, (overlap.clamp(min=0.0) * rows / columns).to(dtype).to(device)


def area_resample(x: Tensor, height: int, width: int) -> Tensor:
    """Resize (B, C, H, W) to (B, C, height, width) by exact fractional-area averaging, up or down."""
    batch, channels, old_height, old_width = x.shape
    if (old_height, old_width) == (height, width):
        return x
    blocks, matrix = _area_block(old_width, width, x.device, x.dtype)
    x = x.reshape(-1, old_width // blocks) @ matrix.T
    x = x.view(batch * channels, old_height, width)
    blocks, matrix = _area_block(old_height, height, x.device, x.dtype)
    x = matrix @ x.reshape(batch * channels * blocks, old_height // blocks, width)
    return x.view(batch, channels, height, width)


def published_input(images: Tensor, size: int) -> Tensor:
    """Preprocess as in the published CLIP losses: area-averaged to size x size, without normalisation."""
    return area_resample(images, size, size)


def correct_input(images: Tensor, size: int, mean: Tensor, std: Tensor) -> Tensor:
    """Preprocess like CLIP: shorter side to `size` (antialiased bicubic), centre crop, normalisation.

    Values outside [-1, 1] are clipped, before and after resizing, as storing the picture would.
    """
    x = images.clamp(-1.0, 1.0) * 0.5 + 0.5
    height, width = x.shape[-2:]
    if (height, width) != (size, size):
        short = min(height, width)
        target = (size * height // short, size * width // short)
        if target != (height, width):
            for step in ((height, target[1]), target):  # one axis at a time and clipped in between, as Pillow does
                x = F.interpolate(x, size=step, mode="bicubic", align_corners=False, antialias=True).clamp(0.0, 1.0)
        top, left = round((target[0] - size) / 2), round((target[1] - size) / 2)
        x = x[..., top : top + size, left : left + size]
    return (x - mean) / std
