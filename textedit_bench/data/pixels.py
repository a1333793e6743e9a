"""Convert losslessly between images of networks and 8-bit pixels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textedit_bench.levels import from_levels, to_levels

Pixels = NDArray[np.uint8]


def to_uint8(images: Tensor) -> Pixels:
    """Convert images [N, 3, H, W] in [-1, 1] to 8-bit [N, H, W, 3], rounded to the nearest level.

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected images [N, 3, H, W], got {tuple(images.shape)}")
    if not torch.isfinite(images).all():
        raise ValueError("images hold values that are not finite")
    pixels: Pixels = to_levels(images).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


def to_images(pixels: Pixels, device: torch.device | str = "cpu") -> Tensor:
    """Convert 8-bit [N, H, W, 3] to images [N, 3, H, W] float32 in [-1, 1]; inverse of `to_uint8`."""
    return from_levels(torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)).contiguous()
