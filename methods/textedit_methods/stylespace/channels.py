"""Channels of the style space: positions, score by examples, and locality to a region.

A style code is the concatenation of all style vectors in the generator's order, toRGB's counted.
Source: Wu, Lischinski, Shechtman 2021, sections 4 and 5, and their code (``manipulate.py``, ``MAdvance.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from textedit_bench.errors import UserError


class Channels(nn.Module):
    """Channels of one generator with their statistics.

    Args:
        mean, std: of every channel, [all].
        widths: channels of each style layer, in order.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, widths: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.widths = tuple(widths)

    def position(self, layer: int, channel: int) -> int:
        """Return the position of a layer's channel in a style code.

        Raises:
            UserError: there is no such layer or channel.
        """
        if not 0 <= layer < len(self.widths):
            raise UserError(f"style layer {layer}: valid: 0 to {len(self.widths) - 1}, toRGB's counted")
        if not 0 <= channel < self.widths[layer]:
            raise UserError(f"channel {channel} of style layer {layer}: valid: 0 to {self.widths[layer] - 1}")
        return sum(self.widths[:layer]) + channel

    def places(self, positions: Sequence[int]) -> list[tuple[int, int]]:
        """Return layer and channel of positions in a style code."""
        ends = list(accumulate(self.widths))
        layers = [next(layer for layer, end in enumerate(ends) if position < end) for position in positions]
        return [(layer, at - ends[layer] + self.widths[layer]) for layer, at in zip(layers, positions, strict=True)]

    def forward(self, styles: Tensor, layer: int, channel: int, alpha: float) -> Tensor:
        """Return style codes [B, all] with one channel moved by ``alpha`` of its deviations."""
        position = self.position(layer, channel)
        moved = styles.clone()
        moved[:, position] += alpha * self.std[position].to(styles)
        return moved

    def normalised(self, styles: Tensor) -> Tensor:
        """Return style codes [N, all] in deviations from the mean, float64; 0 in a constant channel."""
        varies = self.std > 0
        whole = (styles.double() - self.mean.double()) / torch.where(varies, self.std, 1).double()
        return torch.where(varies, whole, 0.0)


def score(examples: Tensor) -> Tensor:
    """Compute each channel's score by examples, [all]: absolute mean over standard deviation (n), as published.

    Args:
        examples: normalised codes [N, all].
    """
    spread = examples.std(0, correction=0)
    return torch.where(spread > 0, examples.mean(0).abs() / torch.where(spread > 0, spread, 1), 0.0)


def ranking(values: Tensor, is_rgb: Tensor) -> Tensor:
    """Return positions of convolutions' channels by descending value, without toRGB.

    Args:
        values: of every channel, [all].
        is_rgb: bool [all].
    """
    order = values.argsort(descending=True, stable=True)
    return order[~is_rgb[order]]


def local_channels(shares: Tensor, regions: Sequence[int], is_rgb: Tensor) -> Tensor:
    """Return positions of channels that change mostly some regions of the picture, the most local first.

    Their summed share is above 0.5, and more than 0.25 above that of any other region.

    Args:
        shares: of images where a channel moves a region most, [all, regions].
        regions: numbers of the wanted ones.
        is_rgb: bool [all]; toRGB's channels are left out.
    """
    wanted = torch.zeros(shares.shape[1], dtype=torch.bool)
    wanted[list(regions)] = True
    inside = shares[:, wanted].sum(1)
    outside = shares[:, ~wanted].max(1).values
    order = ranking(inside, is_rgb)
    return order[((inside > 0.5) & (inside - outside > 0.25))[order]]
