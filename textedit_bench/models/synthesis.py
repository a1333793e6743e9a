"""Style-modulated layers of the StyleGAN2 synthesis network, in a fast formulation.

Modulating a weight by the style and normalising it (arXiv 1912.04958, eq. 1 and 3) equals scaling the input channels,
one convolution with weights shared by the batch, and scaling the output channels: no per-sample weights, no grouped
convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models import winograd
from textedit_bench.models.layers import LRELU_GAIN, LRELU_SLOPE, EqualLinear, FirFilter, blur, upsample_rgb

DEMODULATION_EPS = 1e-8


class ModulatedConv2d(nn.Module):
    """Weights and affine layer of one modulated convolution.

    `weight` is (1, O, I, k, k), stored unscaled; `modulation` maps a W row (B, w_dim) to styles (B, I), bias starting
    at 1.
    """

    def __init__(self, in_dim: int, out_dim: int, kernel: int, w_dim: int, *, upsample: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, out_dim, in_dim, kernel, kernel))
        self.modulation = EqualLinear(w_dim, in_dim, bias_init=1.0)
        self.scale = 1.0 / math.sqrt(in_dim * kernel * kernel)
        self.upsample = upsample
        self._kept: dict[str, tuple[object, Tensor]] = {}
        if upsample:
            self.blur = FirFilter(4.0)

    def demodulation(self, style: Tensor) -> Tensor:
        """Compute 1 / norm of the modulated weights of each output channel: (B, I) -> (B, O)."""
        return torch.rsqrt(F.linear(style.square(), self._power()) + DEMODULATION_EPS)

    def _power(self) -> Tensor:
        """Compute the sum over the kernel of the squared scaled weights, (O, I)."""
        return self._keep("power", lambda: self.weight[0].square().sum(dim=(2, 3)) * self.scale**2)

    def _keep(self, name: str, compute: Callable[[], Tensor]) -> Tensor:
        """Return values that depend only on the weights, cached while frozen weights do not change."""
        weight = self.weight
        if weight.requires_grad or weight.is_inference():
            return compute()
        state = (weight._version, weight.data_ptr(), weight.dtype, weight.device)
        if name not in self._kept or self._kept[name][0] != state:
            with torch.inference_mode(False), torch.no_grad():
                self._kept[name] = (state, compute())
        return self._kept[name][1]

    def __getstate__(self) -> dict[str, Any]:
        """Exclude from copies and pickles what can be recomputed."""
        return {**self.__dict__, "_kept": {}}

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Convolve the modulated input; (B, I, H, W) -> (B, O, H, W) or (B, O, 2H, 2W); not demodulated yet."""
        x = x * (style * self.scale)[:, :, None, None]
        weight = self.weight[0]
        if not self.upsample:
            if not self.weight.requires_grad and winograd.applies(x, weight):
                return winograd.convolve(x, self._keep("points", lambda: winograd.transform_weights(weight)))
            return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), pad=1, gain=4.0)

    def project(self, x: Tensor, style: Tensor) -> Tensor:
        """Compute the 1x1 case as one small matrix product per sample, without a modulated copy of x: (B, O, H, W)."""
        weight = self.weight[0, :, :, 0, 0] * (style * self.scale)[:, None, :]
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)
        return (weight @ pixels.transpose(1, 2)).unflatten(2, x.shape[-2:])


class NoiseInjection(nn.Module):
    """The learned strength of the noise of one layer; `weight` is (1,), starting at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class ActivationBias(nn.Module):
    """The bias (C,) added before the leaky ReLU of one layer."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU."""

    def __init__(self, in_dim: int, out_dim: int, w_dim: int, *, upsample: bool = False, clamp: float | None = None):
        super().__init__()
        self.conv = ModulatedConv2d(in_dim, out_dim, 3, w_dim, upsample=upsample)
        self.noise = NoiseInjection()
        self.activate = ActivationBias(out_dim)
        self.clamp = clamp

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """Map x (B, I, H, W), style (B, I), noise (1 or B, 1, H', W') or None to (B, O, H', W')."""
        y = self.conv(x, style)
        # sqrt(2) * lrelu(v) = lrelu(sqrt(2) * v): the gain joins the small factors instead of a pass over the features.
        # What follows the first line works in place: nothing it overwrites is needed by the backward pass.
        factor = (self.conv.demodulation(style) * LRELU_GAIN)[:, :, None, None]
        y = torch.addcmul((self.activate.bias * LRELU_GAIN)[:, None, None], y, factor)
        if noise is not None:
            y = y.add_(noise * (self.noise.weight * LRELU_GAIN))
        y = F.leaky_relu_(y, LRELU_SLOPE)
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to colour, without demodulation, added to the upsampled colours so far."""

    def __init__(self, in_dim: int, w_dim: int, *, upsample: bool = True, clamp: float | None = None):
        super().__init__()
        self.conv = ModulatedConv2d(in_dim, 3, 1, w_dim)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.clamp = clamp
        if upsample:
            self.upsample = FirFilter(4.0)

    def forward(self, x: Tensor, style: Tensor, skip: Tensor | None) -> Tensor:
        """Map x (B, I, H, W), style (B, I), skip (B, 3, H/2, W/2) or None to (B, 3, H, W)."""
        rgb = self.conv.project(x, style) + self.bias
        if self.clamp is not None:
            rgb = rgb.clamp(-self.clamp, self.clamp)
        return rgb if skip is None else rgb + upsample_rgb(skip)
