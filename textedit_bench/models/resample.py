"""The fixed [1, 3, 3, 1] low-pass filter of StyleGAN2 and its up- and downsampling.

Source: Karras et al. 2020 (StyleGAN2), arXiv 1912.04958, appendix B; zero padding throughout.
The filter is a constant of the architecture. Checkpoints carry it as a buffer; `check_kernel` compares, no layer
reads it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TAPS = (1.0, 3.0, 3.0, 1.0)


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The 4x4 filter, float32, whose entries sum to `gain` (generator checkpoints store gain 4, discriminators 1)."""
    taps = torch.tensor(TAPS)
    return torch.outer(taps, taps) * (gain / 64.0)


def _depthwise(kernel: Tensor, x: Tensor) -> Tensor:
    return kernel.to(x).expand(x.shape[1], 1, *kernel.shape[-2:])


def blur(x: Tensor, pad: int, gain: float = 1.0, stride: int = 1) -> Tensor:
    """Filters every channel of x.

    Args:
        x: features, (B, C, H, W).
        pad: zeros added on each side of both axes.
        gain: sum of the filter.
        stride: step of the output grid; 2 keeps every second sample.

    Returns:
        (B, C, (H + 2 pad - 4) // stride + 1, same for W).
    """
    return F.conv2d(x, _depthwise(fir_kernel(gain), x), padding=pad, stride=stride, groups=x.shape[1])


def upsample_rgb(x: Tensor) -> Tensor:
    """Doubles the size of (B, C, H, W): zeros between samples, then the filter with gain 4 (padding 2 and 1)."""
    return F.conv_transpose2d(x, _depthwise(fir_kernel(4.0), x), stride=2, padding=1, groups=x.shape[1])
