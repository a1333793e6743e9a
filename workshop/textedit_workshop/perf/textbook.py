"""Plain textbook forms of the timed layers: the yardstick of `make perf`, frozen, never tuned.

Written the way the papers state them: weights modulated per sample, one grouped convolution, the 4x4 filter as a
separate two-dimensional pass, the CLIP input through its full-size intermediate. They read the parameters of our
networks by name and share no code with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def _filter(x: Tensor, gain: float, before: int, after: int) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device)
    kernel = torch.outer(taps, taps) / 64.0 * gain
    batch, channels = x.shape[:2]
    x = F.pad(x, (before, after, before, after))
    x = x.reshape(batch * channels, 1, *x.shape[2:])
    y = F.conv2d(x, kernel[None, None])
    return y.view(batch, channels, y.shape[-2], y.shape[-1])


def _upsample(x: Tensor) -> Tensor:
    batch, channels, height, width = x.shape
    spread = x.new_zeros(batch, channels, height, 2, width, 2)
    spread[:, :, :, 0, :, 0] = x
    return _filter(spread.view(batch, channels, 2 * height, 2 * width), 4.0, 2, 1)


def modulated_convolution(x: Tensor, weight: Tensor, style: Tensor, demodulate: bool, upsample: bool) -> Tensor:
    """Eq. 1 and 3 of arXiv 1912.04958: x (B, I, H, W), weight (1, O, I, k, k) unscaled, style (B, I)."""
    batch, in_dim, height, width = x.shape
    _, out_dim, _, size, _ = weight.shape
    weight = weight / math.sqrt(in_dim * size * size) * style.view(batch, 1, in_dim, 1, 1)
    if demodulate:
        weight = weight * torch.rsqrt(weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    x = x.reshape(1, batch * in_dim, height, width)
    if not upsample:
        weight = weight.view(batch * out_dim, in_dim, size, size)
        y = F.conv2d(x, weight, padding=size // 2, groups=batch)
        return y.view(batch, out_dim, height, width)
    weight = weight.transpose(1, 2).reshape(batch * in_dim, out_dim, size, size)
    y = F.conv_transpose2d(x, weight, stride=2, groups=batch)
    return _filter(y.view(batch, out_dim, 2 * height + 1, 2 * width + 1), 4.0, 1, 1)


def _styled(layer: Any, x: Tensor, w: Tensor, noise: Tensor, upsample: bool) -> Tensor:
    style = _affine(layer.conv, w)
    y = modulated_convolution(x, layer.conv.weight, style, True, upsample)
    y = y + layer.noise.weight * noise
    return F.leaky_relu(y + layer.activate.bias.view(1, -1, 1, 1), 0.2) * math.sqrt(2.0)


def _affine(conv: Any, w: Tensor) -> Tensor:
    linear = conv.modulation
    return F.linear(w, linear.weight / math.sqrt(w.shape[1]), linear.bias)


def _colour(layer: Any, x: Tensor, w: Tensor, skip: Tensor | None) -> Tensor:
    rgb = modulated_convolution(x, layer.conv.weight, _affine(layer.conv, w), False, False) + layer.bias
    return rgb if skip is None else rgb + _upsample(skip)


def synthesize(generator: Generator, w_plus: Tensor) -> Tensor:
    """Images of W+ codes (B, rows, w_dim), stored noise maps."""
    noise = [getattr(generator.noises, f"noise_{i}") for i in range(len(generator.convs) + 1)]
    x = generator.input.input.repeat(len(w_plus), 1, 1, 1)
    x = _styled(generator.conv1, x, w_plus[:, 0], noise[0], False)
    rgb = _colour(generator.to_rgb1, x, w_plus[:, 1], None)
    for k, to_rgb in enumerate(generator.to_rgbs):
        x = _styled(generator.convs[2 * k], x, w_plus[:, 2 * k + 1], noise[2 * k + 1], True)
        x = _styled(generator.convs[2 * k + 1], x, w_plus[:, 2 * k + 2], noise[2 * k + 2], False)
        rgb = _colour(to_rgb, x, w_plus[:, 2 * k + 3], rgb)
    return rgb


def clip_input(images: Tensor) -> Tensor:
    """The published CLIP input: nearest-neighbour x7, then average pooling to 224."""
    return F.avg_pool2d(F.interpolate(images, scale_factor=7, mode="nearest"), images.shape[-1] // 32)
