"""The fixed [1, 3, 3, 1] low-pass filter of StyleGAN2, and upsampling and downsampling by it.

Source: Karras et al. 2020 (StyleGAN2), arXiv 1912.04958, appendix B; zero padding throughout.
The filter is a constant of the architecture and an outer product, so it runs as one pass per axis. Checkpoints carry
it as a buffer, which the loaders compare with `fir_kernel` and no layer reads.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TAPS = (1.0, 3.0, 3.0, 1.0)


def fir_kernel(gain: float = 1.0) -> Tensor:
    """Return the 4x4 filter, float32, with sum `gain` (generator checkpoints store gain 4, discriminators 1)."""
    taps = torch.tensor(TAPS)
    return torch.outer(taps, taps) * (gain / 64.0)


def blur(x: Tensor, pad: int, gain: float = 1.0) -> Tensor:
    """Filter every channel of x, first along the columns, then along the rows.

    Args:
        x: features, (B, C, H, W); channels-last is the fast layout on processors.
        pad: zeros added on each side of both axes.
        gain: sum of the filter.

    Returns:
        (B, C, H + 2 pad - 3, W + 2 pad - 3).
    """
    channels = x.shape[1]
    outer, inner = (tap * (gain**0.5 / 8.0) for tap in TAPS[:2])
    taps = x.new_full((channels, 1, 4), outer)  # filled where it is used: a GPU would wait for a copy
    taps[..., 1:3] = inner
    x = F.conv2d(x, taps.unsqueeze(3), padding=(pad, 0), groups=channels)
    return F.conv2d(x, taps.unsqueeze(2), padding=(0, pad), groups=channels)


def upsample_rgb(x: Tensor) -> Tensor:
    """Double the size of (B, C, H, W): zeros between samples, then the filter with gain 4 (padding 2 and 1).

    Each output sample is 3/4 of its nearest and 1/4 of its second nearest input sample per axis: bilinear
    interpolation, save that the surroundings are zero, hence the ring of zeros that is cut off again.
    """
    ring = F.pad(x, (1, 1, 1, 1))
    return F.interpolate(ring, scale_factor=2.0, mode="bilinear", align_corners=False)[:, :, 2:-2, 2:-2]
