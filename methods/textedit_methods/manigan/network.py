"""ManiGAN's main module, which draws a photo anew by a text, and the module that corrects its details.

Named as in the authors' files; sources stand in this folder's README.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from textedit_bench.models.gated import START, Condition, Residual, Start, conv3x3, enlarge, gated, picture
from textedit_bench.models.storage import StoredNetwork
from textedit_bench.models.word_attention import ChannelAttention, WordAttention

SIDE = 256
"""Of the photos and pictures."""
_HIDDEN = 128
"""Channels of a modulation's inner maps, and of the photo's VGG maps."""
_NORM = nn.InstanceNorm2d
_STAGES = 3


class Drawn(NamedTuple):
    """What the published main module returns.

    Attributes:
        images: of side 64, 128 and 256, [B, 3, side, side] in [-1, 1].
        attention: of the second and third stage, [B, T, side, side] at side 64 and 128.
        mean: of the condition, [B, width].
        log_variance: of the condition, [B, width].
        features: of the last stage, which the correction starts from, [B, C, 256, 256].
        condition: [B, width].
    """

    images: tuple[Tensor, ...]
    attention: tuple[Tensor, ...]
    mean: Tensor
    log_variance: Tensor
    features: Tensor
    condition: Tensor


class Modulation(nn.Module):
    """Scales and shifts features by maps of the photo (the paper's ACM)."""

    def __init__(self, photo: int, channels: int) -> None:
        super().__init__()
        self.conv = conv3x3(photo, _HIDDEN)
        self.conv_weight, self.conv_bias = conv3x3(_HIDDEN, channels), conv3x3(_HIDDEN, channels)

    def forward(self, features: Tensor, photo: Tensor) -> Tensor:
        """[B, channels, H, W] and [B, photo, H, W] -> [B, channels, H, W]."""
        told = self.conv(photo)
        changed: Tensor = features * self.conv_weight(told) + self.conv_bias(told)
        return changed


class Stage(nn.Module):
    """Looks at words and photo, then doubles the side."""

    def __init__(self, features: int, words: int, residuals: int, side: int) -> None:
        super().__init__()
        self.att = WordAttention(features, words)
        self.channel_att = ChannelAttention(side, words)
        self.SAIN = Modulation(features, 3 * features)
        self.residual = nn.Sequential(*[Residual(3 * features, _NORM) for _ in range(residuals)])
        self.upsample = enlarge(3 * features, features, _NORM)

    def forward(self, features: Tensor, photo: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features and the photo's maps [B, C, H, W] -> features [B, C, 2H, 2W], and the attention [B, T, H, W]."""
        context, attention = self.att(features, words, hidden)
        seen = torch.cat([features, context, self.channel_att(context, words)], dim=1)
        return self.upsample(self.residual(self.SAIN(seen, photo))), attention


class MainModule(StoredNetwork):
    """Draws in three stages.

    Args:
        features: channels of a stage's features.
        words: width of words, sentence, regions and code.
        condition: width of the condition.
        noise: width of the noise.
        residuals: residual blocks per stage.
    """

    def __init__(self, features: int, words: int, condition: int, noise: int, residuals: int) -> None:
        super().__init__()
        self.features, self.words, self.residuals = features, words, residuals
        self.condition, self.noise = condition, noise
        self.ca_net = Condition(words, condition)
        self.h_net1 = Start(condition + noise + words, features, _NORM)
        # 17 regions to 64 maps: by the ratio of the sizes, as in the authors' PyTorch; see `enlarge_by_factor`.
        self.imgUpSample = nn.Sequential(nn.Upsample(size=START), *gated(words, features, _NORM))
        self.imgUpSample2, self.imgUpSample3 = (enlarge(features, features, _NORM) for _ in range(2))
        for number in range(1, _STAGES + 1):
            self.add_module(f"SAIN{number}", Modulation(features, features))
            self.add_module(f"img_net{number}", picture(features))
            if number > 1:
                stage = Stage(features, words, residuals, START * 2 ** (number - 2))
                self.add_module(f"h_net{number}", stage)

    def enlarge_by_factor(self) -> None:
        """Enlarge the regions as PyTorch since 1.6 reads the published factor of 3.8: three rows and columns differ."""
        self.imgUpSample[0] = nn.Upsample(scale_factor=3.8)

    def forward(
        self,
        noise: Tensor,
        eps: Tensor,
        sentence: Tensor,
        words: Tensor,
        code: Tensor,
        regions: Tensor,
        hidden: Tensor | None = None,
    ) -> Drawn:
        """Draw pictures.

        Args:
            noise: standard normals [B, noise].
            eps: standard normals [B, condition].
            sentence: [B, words].
            words: [B, words, T], 0 where a word is padding.
            code: of the photos, [B, words].
            regions: of the photos, [B, words, 17, 17].
            hidden: bool [B, T], True where a word is padding; None for none.
        """
        condition, mean, log_variance = self.ca_net(sentence, eps)
        images, seen = [], []
        for number, (features, photo, attention) in enumerate(
            self._stages(condition, noise, words, code, regions, hidden), start=1
        ):
            seen += [] if attention is None else [attention]
            # The next stage goes on from the features before this modulation.
            changed = self.get_submodule(f"SAIN{number}")(features, photo)
            images.append(self.get_submodule(f"img_net{number}")(changed))
        return Drawn(tuple(images), tuple(seen), mean, log_variance, features, condition)

    def last_features(
        self, noise: Tensor, eps: Tensor, sentence: Tensor, words: Tensor, code: Tensor, regions: Tensor
    ) -> Tensor:
        """Return the ``features`` of `forward` alone: edits need no pictures of the main module."""
        for found, _, _ in self._stages(self.ca_net(sentence, eps)[0], noise, words, code, regions, None):
            features = found
        return features

    def _stages(
        self, condition: Tensor, noise: Tensor, words: Tensor, code: Tensor, regions: Tensor, hidden: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield every stage's features and maps of the photo, and, of the later ones, the attention."""
        features, photo = self.h_net1(condition, noise, code), self.imgUpSample(regions)
        yield features, photo, None
        for number in range(2, _STAGES + 1):
            features, attention = self.get_submodule(f"h_net{number}")(features, photo, words, hidden)
            photo = self.get_submodule(f"imgUpSample{number}")(photo)
            yield features, photo, attention


class _Details(nn.Module):
    """The correction's only stage, at the pictures' own side."""

    def __init__(self, features: int, words: int, residuals: int) -> None:
        super().__init__()
        self.att = WordAttention(features, words)
        self.color_channel_att = ChannelAttention(SIDE, words)
        self.SAIN = Modulation(features, 3 * features)
        self.residual = nn.Sequential(*[Residual(3 * features, _NORM) for _ in range(residuals)])
        self.block = nn.Sequential(*gated(3 * features, features, _NORM))

    def forward(self, features: Tensor, photo: Tensor, words: Tensor, hidden: Tensor | None) -> Tensor:
        """Features and the photo's maps [B, C, 256, 256] -> the same shape."""
        context, _ = self.att(features, words, hidden)
        seen = torch.cat([features, context, self.color_channel_att(context, words)], dim=1)
        made: Tensor = self.block(self.residual(self.SAIN(seen, photo)))
        return made


class Correction(StoredNetwork):
    """Draws the details anew, by VGG's maps of the photo (the paper's DCM)."""

    def __init__(self, features: int, words: int, residuals: int) -> None:
        super().__init__()
        self.features, self.words, self.residuals = features, words, residuals
        self.upsample = enlarge(_HIDDEN, features, _NORM)
        self.h_net = _Details(features, words, residuals)
        self.SAIN = Modulation(features, features)
        self.img_net = picture(features)

    def forward(self, features: Tensor, vgg: Tensor, words: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Features of the main module [B, C, 256, 256], VGG's maps [B, 128, 128, 128] -> [B, 3, 256, 256]."""
        photo = self.upsample(vgg)
        picture: Tensor = self.img_net(self.SAIN(self.h_net(features, photo, words, hidden), photo))
        return picture
