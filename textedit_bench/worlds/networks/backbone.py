"""Two small convolutional backbones of different architecture, so that evaluation networks differ from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

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
