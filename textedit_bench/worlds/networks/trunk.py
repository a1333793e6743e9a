"""Two small backbones of different architecture, and on them the mini tier's perceptual distance and FID features.

They are independent of each other and of the oracles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.storage import StoredNetwork

Style = Literal["residual", "plain"]


class Residual(nn.Module):
    """A strided convolution, then one convolution with a shortcut; batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, deep: bool) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.more = (
            nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
            if deep
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H / 2, W / 2]."""
        x = self.down(x)
        return x if self.more is None else x + self.more(x)


class Plain(nn.Module):
    """Average pooling between unshortcut convolutions; batch norm and SiLU; a 5-pixel kernel first."""

    def __init__(self, inputs: int, outputs: int, deep: bool) -> None:
        super().__init__()
        first = 3 if deep else 5
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, first, stride=1 if deep else 2, padding=first // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
        ]
        if deep:
            layers.insert(0, nn.AvgPool2d(2))
            layers += [nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.SiLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H / 2, W / 2]."""
        out: Tensor = self.layers(x)
        return out


class Backbone(nn.Module):
    """Pictures -> feature maps, halved at every stage.

    Args:
        style: which build.
        channels: of each stage; the first stage is a single convolution.
    """

    def __init__(self, style: Style, channels: Sequence[int]) -> None:
        super().__init__()
        block = {"residual": Residual, "plain": Plain}[style]
        widths = [3, *channels]
        self.stages = nn.ModuleList(block(a, b, i > 0) for i, (a, b) in enumerate(zip(widths, channels, strict=False)))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of every stage, finest first."""
        maps = []
        x = images
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


PERCEPTUAL: dict[str, Any] = {"style": "plain", "channels": [20, 32, 48, 64]}
FEATURES: dict[str, Any] = {"style": "residual", "channels": [20, 36, 48, 56]}
FEATURE_DIM = 64


class PerceptualDistance(StoredNetwork):
    """The LPIPS formula (Zhang et al. 2018, eq. 1) on a small trunk, with equal weights for all channels.

    Feature maps are scaled to unit length along the channels; squared differences are summed over channels and averaged
    over positions and stages. Its numbers are not comparable with those of the published networks.
    """

    def __init__(self, style: Style, channels: Sequence[int]) -> None:
        super().__init__()
        self.style, self.channels = style, list(channels)
        self.trunk = Backbone(style, channels)

    def forward(self, a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
        """Distances [B] in [0, 4] of pictures [B, 3, H, W] in [-1, 1]; 0 for equal ones.

        Args:
            a: pictures.
            b: pictures to compare with.
            keep: bool [B, H, W], True where pixels count: a position of a stage counts where all of its pixels do; a
                stage without such a position is left out; nan if no stage has one.
        """
        return self.compare(self.stages(a), self.stages(b), keep)

    def stages(self, images: Tensor) -> list[Tensor]:
        """Maps of unit length along the channels, one [B, C, H, W] per stage: what `compare` needs of a picture."""
        return [_unit(maps) for maps in self.trunk(images)]

    def compare(self, first: Sequence[Tensor], second: Sequence[Tensor], keep: Tensor | None = None) -> Tensor:
        """Distances [B] from the stages of two batches; ``keep`` as in `forward`."""
        stages = []
        for x, y in zip(first, second, strict=True):
            distance = (x - y).square().sum(1)
            if keep is None:
                stages.append(distance.mean((1, 2)))
                continue
            share = F.interpolate(keep[:, None].to(distance.dtype), distance.shape[-2:], mode="area")[:, 0]
            weight = (share >= 1.0 - 1e-6).to(distance.dtype)
            stages.append((distance * weight).sum((1, 2)) / weight.sum((1, 2)))
        return torch.stack(stages).nanmean(0)


def _unit(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(1, keepdim=True).sqrt() + 1e-8)


class FeatureNetwork(StoredNetwork):
    """Penultimate features of a small attribute classifier, for FID and KID in the mini tier."""

    def __init__(self, style: Style, channels: Sequence[int], dim: int = FEATURE_DIM, side: int = 64) -> None:
        super().__init__()
        self.style, self.channels, self.dim, self.side = style, list(channels), dim, side
        self.trunk = Backbone(style, channels)
        cells = (side // 2 ** len(channels)) ** 2
        self.features = nn.Sequential(
            nn.Flatten(), nn.Linear(channels[-1] * cells, dim), nn.BatchNorm1d(dim), nn.ReLU()
        )

    def forward(self, images: Tensor) -> Tensor:
        """Features [B, dim], float32, not negative, of pictures [B, 3, side, side] in [-1, 1]."""
        out: Tensor = self.features(self.trunk(images)[-1])
        return out
