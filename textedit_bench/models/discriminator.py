"""StyleGAN2 residual discriminator in the rosinality layout.

Source: Karras et al. 2020, arXiv 1912.04958 (config F); minibatch standard deviation: Karras et al. 2018, sec. 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.models.layers import BiasedActivation, EqualConv2d, EqualLinear, FirFilter, blur, channel_table

SQRT_HALF = math.sqrt(0.5)


class _Blur(FirFilter):
    """Low-pass filter with gain 1 before a strided convolution."""

    def __init__(self, pad: int):
        super().__init__(1.0)
        self.pad = pad

    def forward(self, x: Tensor) -> Tensor:
        return blur(x, self.pad)


class _ResBlock(nn.Module):
    """Two 3x3 convolutions, the second halving the size, and a 1x1 shortcut; the sum is divided by sqrt(2)."""

    def __init__(self, in_dim: int, out_dim: int, clamp: float | None):
        super().__init__()
        self.conv1 = nn.Sequential(EqualConv2d(in_dim, in_dim, 3, padding=1), BiasedActivation(in_dim, clamp))
        self.conv2 = nn.Sequential(
            _Blur(2), EqualConv2d(in_dim, out_dim, 3, stride=2), BiasedActivation(out_dim, clamp)
        )
        self.skip = nn.Sequential(_Blur(1), EqualConv2d(in_dim, out_dim, 1, stride=2))
        self.clamp = clamp

    def forward(self, x: Tensor) -> Tensor:
        skip = self.skip(x)
        if self.clamp is not None:
            skip = skip.clamp(-self.clamp, self.clamp)
        return (self.conv2(self.conv1(x)) + skip) * SQRT_HALF


class Discriminator(nn.Module):
    """Residual discriminator: images (B, 3, R, R) in [-1, 1] to logits (B, 1).

    Args:
        resolution: side of the image, a power of two >= 8.
        channels: feature channels for every resolution from 4 up; config F if None.
        channel_multiplier: used when `channels` is None.
        conv_clamp: limit on every layer's output (NVIDIA mixed-precision networks), None for no limit.
        mbstd_group: images per group of the minibatch standard deviation; None takes the whole batch.
    """

    def __init__(
        self,
        resolution: int,
        channels: Mapping[int, int] | None = None,
        channel_multiplier: int = 2,
        conv_clamp: float | None = None,
        mbstd_group: int | None = 4,
    ):
        super().__init__()
        self.channels = channel_table(resolution, channels, channel_multiplier)
        self.resolution, self.conv_clamp, self.mbstd_group = resolution, conv_clamp, mbstd_group
        top = self.channels[resolution]
        blocks: list[nn.Module] = [nn.Sequential(EqualConv2d(3, top, 1), BiasedActivation(top, conv_clamp))]
        sizes = sorted(self.channels, reverse=True)
        for wide, narrow in pairwise(sizes):
            blocks.append(_ResBlock(self.channels[wide], self.channels[narrow], conv_clamp))
        self.convs = nn.Sequential(*blocks)
        last = self.channels[4]
        self.final_conv = nn.Sequential(EqualConv2d(last + 1, last, 3, padding=1), BiasedActivation(last, conv_clamp))
        self.final_linear = nn.Sequential(EqualLinear(last * 16, last, activation=True), EqualLinear(last, 1))

    @property
    def config(self) -> dict[str, Any]:
        """The constructor arguments that rebuild this network, as plain JSON values."""
        return {
            "resolution": self.resolution,
            "channels": {str(size): width for size, width in self.channels.items()},
            "conv_clamp": self.conv_clamp,
            "mbstd_group": self.mbstd_group,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Discriminator:
        """Inverse of `config`."""
        settings = dict(config)
        settings["channels"] = {int(size): int(width) for size, width in settings["channels"].items()}
        return cls(**settings)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits (B, 1); the batch must be a multiple of min(B, mbstd_group).

        Raises:
            ValueError: images of another size, or a batch that cannot be divided into groups.
        """
        side = self.resolution
        if tuple(images.shape[1:]) != (3, side, side):
            raise ValueError(
                f"images have shape {tuple(images.shape)}, this discriminator needs (B, 3, {side}, {side})"
            )
        x = self.convs(images.contiguous(memory_format=torch.channels_last))
        x = self.final_conv(torch.cat([x, self._batch_deviation(x)], dim=1))
        return self.final_linear(x.flatten(1))

    def _batch_deviation(self, x: Tensor) -> Tensor:
        """Compute the mean biased deviation within each group, as one constant map: (B, 1, H, W)."""
        batch, _, height, width = x.shape
        group = batch if self.mbstd_group is None else min(batch, self.mbstd_group)
        if batch % group:
            raise ValueError(
                f"a batch of {batch} cannot be divided into groups of {group} (minibatch standard deviation)"
            )
        deviation = x.view(group, -1, *x.shape[1:]).var(dim=0, unbiased=False).add(1e-8).sqrt().mean(dim=(1, 2, 3))
        return deviation.repeat(group).view(batch, 1, 1, 1).expand(-1, 1, height, width)
