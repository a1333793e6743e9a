"""Residual bodies: IR-SE-50 of ArcFace and the e4e / pSp encoders, and those of other depths or without the gates.

Sources: Deng et al. 2019 (ArcFace), arXiv 1801.07698; Hu et al. 2018 (squeeze-and-excitation), arXiv 1709.01507.
Layer names and order are those of the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))


class SqueezeExcite(nn.Module):
    """Channel gates from the spatial mean: (B, C, H, W) in and out."""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The input, each channel times its gate in [0, 1]."""
        gate = self.fc2(self.fc1(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()
        return x * gate


class Bottleneck(nn.Module):
    """Pre-normalised residual block; the second convolution strides, the shortcut is a strided pick or a 1x1.

    Args:
        in_dim, depth, stride: of the block.
        gated: whether `SqueezeExcite` is at the end.
    """

    def __init__(self, in_dim: int, depth: int, stride: int, gated: bool = True):
        super().__init__()
        self.shortcut_layer: nn.Module
        if in_dim == depth:
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(in_dim, depth, 1, stride, bias=False), nn.BatchNorm2d(depth))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_dim),
            nn.Conv2d(in_dim, depth, 3, padding=1, bias=False),
            nn.PReLU(depth),
            nn.Conv2d(depth, depth, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(depth),
            *([SqueezeExcite(depth)] if gated else []),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in_dim, H, W) -> (B, depth, H / stride, W / stride)."""
        return self.shortcut_layer(x) + self.res_layer(x)


def input_layer() -> nn.Sequential:
    """RGB to 64 channels at full size."""
    return nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))


def body(stages: Sequence[tuple[int, int]] = STAGES, gated: bool = True) -> nn.Sequential:
    """The bottlenecks of (channels, blocks) per stage, each of which halves the size in its first block."""
    plan = [(depth, 1 if index else 2) for depth, count in stages for index in range(count)]
    widths = [64, *(depth for depth, _ in plan)]
    return nn.Sequential(*(Bottleneck(width, *block, gated) for width, block in zip(widths, plan, strict=False)))
