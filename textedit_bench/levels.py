"""Round images to the 256 levels of 8-bit pictures, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def to_levels(images: Tensor) -> Tensor:
    """Convert images in [-1, 1], any shape, to uint8, the nearest level; values outside are clipped."""
    return ((images.detach().float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def from_levels(levels: Tensor) -> Tensor:
    """Convert levels to float32 in [-1, 1]; inverse of `to_levels`."""
    return levels.float().div(127.5).sub(1)
