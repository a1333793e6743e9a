"""Layers shared by the StyleGAN2 networks and the encoders: equalised learning rate, the fixed low-pass filter, sizes.

Weights are stored unscaled (as N(0, 1) / lr_mul draws) and multiplied by lr_mul / sqrt(fan in) at run time (Karras et
al. 2018, progressive GAN, sec. 4.1; StyleGAN2, arXiv 1912.04958).

The [1, 3, 3, 1] filter (StyleGAN2, appendix B; zero padding throughout) is a constant of the architecture and an outer
product, so it runs as one pass per axis. Checkpoints carry it as a buffer, which the loaders compare with `fir_kernel`
and no layer reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def resolutions(resolution: int) -> list[int]:
    """Return [4, 8, ..., resolution].

    Raises:
        ValueError: the resolution is no power of two, or smaller than 8.
    """
    if resolution < 8 or resolution & (resolution - 1):
        raise ValueError(f"resolution must be a power of two >= 8, got {resolution}")
    return [1 << k for k in range(2, resolution.bit_length())]


def channel_table(resolution: int, channels: Mapping[int, int] | None, multiplier: int) -> dict[int, int]:
    """Return feature channels per resolution from 4: the given ones, or config F's min(512, 16384 multiplier / size).

    Raises:
        ValueError: `channels` lacks a resolution.
    """
    sizes = resolutions(resolution)
    if channels is None:
        return {size: 512 if size <= 32 else min(512, 16384 * multiplier // size) for size in sizes}
    missing = [size for size in sizes if size not in channels]
    if missing:
        raise ValueError(f"channels lacks resolutions {missing}")
    return {size: int(channels[size]) for size in sizes}


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


LRELU_SLOPE = 0.2
LRELU_GAIN = math.sqrt(2.0)


def scaled_leaky_relu(x: Tensor, clamp: float | None = None) -> Tensor:
    """Compute sqrt(2) * leaky_relu(x, 0.2), limited to [-clamp, clamp] if a clamp is given."""
    y = F.leaky_relu(x, LRELU_SLOPE) * LRELU_GAIN
    return y if clamp is None else y.clamp(-clamp, clamp)


class PixelNorm(nn.Module):
    """Divides by the root mean square over dimension 1 (not the last one), plus 1e-8 under the root."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) in and out."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


class EqualLinear(nn.Module):
    """Linear layer with run-time weight scaling.

    Args:
        in_dim, out_dim: sizes; `weight` is (out_dim, in_dim), `bias` (out_dim,).
        bias_init: initial value of the effective bias.
        lr_mul: learning-rate multiplier, applied to weight and bias.
        activation: apply `scaled_leaky_relu` to the result.
    """

    def __init__(
        self, in_dim: int, out_dim: int, *, bias_init: float = 0.0, lr_mul: float = 1.0, activation: bool = False
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim) / lr_mul)
        self.bias = nn.Parameter(torch.full((out_dim,), bias_init / lr_mul))
        self.scale = lr_mul / math.sqrt(in_dim)
        self.lr_mul = lr_mul
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_dim) -> (..., out_dim); the bias belongs to the last axis."""
        bias = self.bias if self.lr_mul == 1.0 else self.bias * self.lr_mul
        y = F.linear(x, self.weight * self.scale, bias)
        return scaled_leaky_relu(y) if self.activation else y


def mapping_layers(widths: Sequence[int], lr_mul: float, norm: nn.Module | None = None) -> nn.Sequential:
    """Create the norm, if any, then equalised linear layers of ``widths``, each, the last too, with its leaky ReLU."""
    layers = [EqualLinear(*pair, lr_mul=lr_mul, activation=True) for pair in pairwise(widths)]
    return nn.Sequential(*([] if norm is None else [norm]), *layers)


class EqualConv2d(nn.Module):
    """Bias-free convolution with weights divided by sqrt(in * k * k) at run time; the bias lives in the activation."""

    def __init__(self, in_dim: int, out_dim: int, kernel: int, *, stride: int = 1, padding: int = 0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim, kernel, kernel))
        self.scale = 1.0 / math.sqrt(in_dim * kernel * kernel)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_dim, H, W) -> (B, out_dim, H', W')."""
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class BiasedActivation(nn.Module):
    """Per-channel bias, then `scaled_leaky_relu`; (B, C, H, W) in and out."""

    def __init__(self, channels: int, clamp: float | None = None):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.clamp = clamp

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in and out."""
        return scaled_leaky_relu(x + self.bias.view(1, -1, 1, 1), self.clamp)


class FirFilter(nn.Module):
    """Holder of the `kernel` buffer that checkpoints carry; its value is a constant (see `fir_kernel`)."""

    kernel: Tensor

    def __init__(self, gain: float):
        super().__init__()
        self.register_buffer("kernel", fir_kernel(gain))
