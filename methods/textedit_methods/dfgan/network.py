"""DF-GAN's generator, of both published layouts, and its critic; modules and parameters have the published names.

Source: the released code of 2022 (v2) and of 2020 (v1).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.storage import StoredNetwork

START = 4
"""Side of the first features."""
_WIDEST = 8
"""Of the layers, in multiples of the last one's channels."""


def generator_widths(channels: int, side: int) -> list[int]:
    """Return the channels of a generator's first features and of its blocks, for pictures of ``side`` pixels."""
    return [channels * min(2**step, _WIDEST) for step in range(round(math.log2(side)) - 1)][::-1]


def sentence_vectors(features: Tensor) -> Tensor:
    """Scale text features [..., d] of CLIP to a mean square of 1 (ours)."""
    return F.normalize(features, dim=-1) * math.sqrt(features.shape[-1])


def _layers(condition: int, hidden: int, channels: int, bias: float) -> nn.Sequential:
    """Create two layers that give ``bias`` for any condition at first."""
    last = nn.Linear(hidden, channels)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, bias)
    return nn.Sequential(OrderedDict(linear1=nn.Linear(condition, hidden), relu1=nn.ReLU(), linear2=last))


class Affine(nn.Module):
    """Scales and shifts features [B, C, H, W], each by two layers that read a condition [B, d]; then a leaky ReLU."""

    def __init__(self, condition: int, hidden: int, channels: int) -> None:
        super().__init__()
        self.fc_gamma, self.fc_beta = (_layers(condition, hidden, channels, bias) for bias in (1.0, 0.0))

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Modulate the features."""
        scale, shift = (layers(condition)[:, :, None, None] for layers in (self.fc_gamma, self.fc_beta))
        return F.leaky_relu(torch.addcmul(shift, scale, features), 0.2)


class Fusion(nn.Module):
    """Two `Affine`."""

    def __init__(self, condition: int, hidden: int, channels: int) -> None:
        super().__init__()
        self.affine0, self.affine1 = (Affine(condition, hidden, channels) for _ in range(2))

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Modulate the features."""
        return cast("Tensor", self.affine1(self.affine0(features, condition), condition))


class GeneratorBlock(nn.Module):
    """A residual block; v1 (``gated``) multiplies the residual by a number that starts at 0."""

    def __init__(self, inner: int, outer: int, condition: int, hidden: int, gated: bool) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(inner, outer, 3, padding=1)
        self.c2 = nn.Conv2d(outer, outer, 3, padding=1)
        self.c_sc = nn.Conv2d(inner, outer, 1) if inner != outer else None
        self.fuse1, self.fuse2 = (Fusion(condition, hidden or width, width) for width in (inner, outer))
        self.gamma = nn.Parameter(torch.zeros(1)) if gated else None

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Compute the next features at the same size."""
        residual = self.c2(self.fuse2(self.c1(self.fuse1(features, condition)), condition))
        shortcut = features if self.c_sc is None else self.c_sc(features)
        return shortcut + (residual if self.gamma is None else self.gamma * residual)


class Generator(StoredNetwork):
    """Generates pictures from noise and a sentence vector.

    Args:
        widths: channels of the first features and of every block.
        noise_dim: width of the noise.
        sentence_dim: width of the sentence vector.
        layout: v1 has a block more than it enlarges, a condition without noise, and gated residuals.
        hidden: width within every `Affine`; 0: that of its features, as in v2.
        reads: what makes the sentence vector: the guiding CLIP, or the authors' text encoder (damsm).
    """

    def __init__(
        self,
        widths: Sequence[int],
        noise_dim: int,
        sentence_dim: int,
        layout: Literal["v1", "v2"] = "v2",
        hidden: int = 0,
        reads: Literal["clip", "damsm"] = "clip",
    ) -> None:
        super().__init__()
        self.widths, self.noise_dim, self.sentence_dim = list(widths), noise_dim, sentence_dim
        self.layout, self.hidden, self.reads = layout, hidden, reads
        old = layout == "v1"
        condition = sentence_dim if old else noise_dim + sentence_dim
        self.fc = nn.Linear(noise_dim, widths[0] * START**2)
        self.GBlocks = nn.ModuleList(GeneratorBlock(*pair, condition, hidden, old) for pair in pairwise(widths))
        self.to_rgb = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Tanh())

    @property
    def side(self) -> int:
        """Side of the pictures in pixels."""
        return START * 2 ** (len(self.GBlocks) - (self.layout == "v1"))

    def forward(self, noise: Tensor, sentence: Tensor) -> Tensor:
        """Generate pictures [B, 3, side, side] in [-1, 1] from noise [B, noise_dim] and sentences [B, sentence_dim]."""
        condition = sentence if self.layout == "v1" else torch.cat([noise, sentence], dim=1)
        features = self.fc(noise).view(len(noise), -1, START, START)
        for number, block in enumerate(self.GBlocks):
            if number or self.layout != "v1":
                features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(features, condition)
        return cast("Tensor", self.to_rgb(features))


class CriticBlock(nn.Module):
    """Halves the size; the residual is multiplied by a number that starts at 0."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        steps = nn.Conv2d(inner, outer, 4, 2, 1, bias=False), nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.conv_r = nn.Sequential(steps[0], nn.LeakyReLU(0.2), steps[1], nn.LeakyReLU(0.2))
        self.conv_s = nn.Conv2d(inner, outer, 1)  # published files have it in every block
        self.gamma = nn.Parameter(torch.zeros(1))
        self.widens = inner != outer

    def forward(self, features: Tensor) -> Tensor:
        """Compute features of half the size."""
        shortcut = self.conv_s(features) if self.widens else features
        channels = shortcut.shape[1]
        # the mean of 2x2, which CPUs differentiate twice faster as a convolution
        halved = F.conv2d(shortcut, shortcut.new_full((channels, 1, 2, 2), 0.25), stride=2, groups=channels)
        return halved + self.gamma * self.conv_r(features)


class PairCritic(nn.Module):
    """The part that judges features of pictures [B, C, 4, 4] with sentences [B, d]."""

    def __init__(self, channels: int, sentence_dim: int, hidden: int) -> None:
        super().__init__()
        joint = nn.Conv2d(channels + sentence_dim, hidden, 3, 1, 1, bias=False)
        self.joint_conv = nn.Sequential(joint, nn.LeakyReLU(0.2), nn.Conv2d(hidden, 1, START, bias=False))

    def forward(self, features: Tensor, sentence: Tensor) -> Tensor:
        """Compute logits [B, 1, 1, 1]."""
        everywhere = sentence[:, :, None, None].expand(-1, -1, START, START)
        return cast("Tensor", self.joint_conv(torch.cat([features, everywhere], dim=1)))


class Critic(nn.Module):
    """Judges whether a picture is real and fits its sentence; ``netD`` reads the picture alone.

    Args:
        widths: channels of the first features and of every block.
        sentence_dim: width of the sentence vector.
    """

    def __init__(self, widths: Sequence[int], sentence_dim: int) -> None:
        super().__init__()
        first = nn.Conv2d(3, widths[0], 3, padding=1)
        blocks = nn.Sequential(*(CriticBlock(*pair) for pair in pairwise(widths)))
        self.netD = nn.Sequential(OrderedDict(conv_img=first, DBlocks=blocks))
        self.netC = PairCritic(widths[-1], sentence_dim, 2 * widths[0])

    def forward(self, images: Tensor, sentence: Tensor) -> Tensor:
        """Judge pictures [B, 3, H, W] with sentences [B, d]; logits [B, 1, 1, 1]."""
        return cast("Tensor", self.netC(self.netD(images), sentence))
