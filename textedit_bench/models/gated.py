"""Layers of the generators that descend from StackGAN: gated convolutions, the condition from a sentence, the start.

The attributes are named as in the authors' files (AttnGAN, ControlGAN, DM-GAN, ManiGAN).

Source: Xu et al. 2018 (AttnGAN, arXiv 1711.10485), and the published code where the paper is silent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]
"""Makes the norm of so many channels."""
START = 64
"""Side of the first stage's features and picture."""
_FIRST = 4
_WIDEST = 16
"""Channels of the first features, as a multiple of the last ones'."""


def conv3x3(into: int, out: int) -> nn.Conv2d:
    """A convolution without bias that keeps the side."""
    return nn.Conv2d(into, out, 3, padding=1, bias=False)


def gated(into: int, out: int, norm: Norm) -> list[nn.Module]:
    """Convolution, norm, and the first half of the channels times the sigmoid of the second."""
    return [conv3x3(into, 2 * out), norm(2 * out), nn.GLU(dim=1)]


def enlarge(into: int, out: int, norm: Norm) -> nn.Sequential:
    """Double the side: nearest pixels, then a gated convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), *gated(into, out, norm))


class Residual(nn.Module):
    """Adds a gated convolution and a plain one."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.block = nn.Sequential(*gated(channels, channels, norm), conv3x3(channels, channels), norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, H, W] -> the same shape."""
        y: Tensor = x + self.block(x)
        return y


def picture(features: int) -> nn.Sequential:
    """Create what turns features [B, features, H, W] into a picture [B, 3, H, W] in [-1, 1]."""
    return nn.Sequential(OrderedDict(img=nn.Sequential(conv3x3(features, 3), nn.Tanh())))


class Condition(nn.Module):
    """Draws the condition of a picture around a mean that the sentence tells; in evaluation too."""

    def __init__(self, sentence: int, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(sentence, 4 * width)

    def forward(self, sentence: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sentence [B, sentence] and standard normals [B, width] -> condition, mean, log variance, [B, width] each."""
        mean, log_variance = nn.functional.glu(self.fc(sentence), dim=1).chunk(2, dim=1)
        return mean + eps * (0.5 * log_variance).exp(), mean, log_variance


class Start(nn.Module):
    """From vectors to features of side `START`.

    Args:
        into: width of the vectors.
        features: channels at the end.
        norm: of the convolutions; the linear layer's is always batch norm.
    """

    def __init__(self, into: int, features: int, norm: Norm) -> None:
        super().__init__()
        width = _WIDEST * features
        wide = 2 * width * _FIRST**2
        self.fc = nn.Sequential(nn.Linear(into, wide, bias=False), nn.BatchNorm1d(wide), nn.GLU(dim=1))
        self.upsample1 = enlarge(width, width // 2, norm)
        self.upsample2 = enlarge(width // 2, width // 4, norm)
        self.upsample3 = enlarge(width // 4, width // 8, norm)
        self.upsample4 = enlarge(width // 8, features, norm)

    def forward(self, *vectors: Tensor) -> Tensor:
        """Vectors [B, ...] that are joined in their order -> [B, features, 64, 64]."""
        x: Tensor = self.fc(torch.cat(vectors, dim=1)).unflatten(1, (-1, _FIRST, _FIRST))
        for part in (self.upsample1, self.upsample2, self.upsample3, self.upsample4):
            x = part(x)
        return x
