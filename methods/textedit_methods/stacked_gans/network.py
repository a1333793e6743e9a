"""The three generators: the same start, stages and pictures; how a stage looks at the words is its own.

Named as in the authors' files; sources stand in this folder's README.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from textedit_bench.models.gated import START, Condition, Residual, Start, enlarge, picture
from textedit_bench.models.word_attention import ChannelAttention, WordAttention, attend


class Drawn(NamedTuple):
    """What the published networks return.

    Attributes:
        images: a picture per stage, of side 64, 128 and 256: [B, 3, side, side] in [-1, 1].
        attention: of every later stage, [B, T, side, side] at its side before it doubles; sums to 1 over the words.
        mean: of the condition, [B, width].
        log_variance: of the condition, [B, width].
    """

    images: tuple[Tensor, ...]
    attention: tuple[Tensor, ...]
    mean: Tensor
    log_variance: Tensor


@dataclass(frozen=True)
class Sizes:
    """Widths of a generator.

    Attributes:
        features: channels of a stage's features.
        words: width of words and sentence.
        condition: width of the condition.
        noise: width of the noise.
        residuals: residual blocks per stage.
        stages: pictures, each twice as large as the one before.
    """

    features: int
    words: int
    condition: int
    noise: int
    residuals: int
    stages: int


class Stage(nn.Module):
    """Looks at the words, then doubles the side."""

    parts: ClassVar[int] = 2
    """Width of what `look` joins, as a multiple of the features'."""

    def __init__(self, sizes: Sizes, side: int) -> None:
        super().__init__()
        width = self.parts * sizes.features
        self.residual = nn.Sequential(*[Residual(width, nn.BatchNorm2d) for _ in range(sizes.residuals)])
        self.upsample = enlarge(width, sizes.features, nn.BatchNorm2d)

    def look(self, features: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features [B, C, H, W] -> [B, parts * C, H, W], and the attention [B, T, H, W]."""
        raise NotImplementedError

    def forward(self, features: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features [B, C, H, W] -> [B, C, 2H, 2W], and the attention [B, T, H, W]."""
        seen, attention = self.look(features, words, hidden)
        return self.upsample(self.residual(seen)), attention


class StackedGenerator(nn.Module):
    """Draws a picture of a text in stages; a subclass names its stage."""

    stage: ClassVar[type[Stage]]

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.ca_net = Condition(sizes.words, sizes.condition)
        self.h_net1 = Start(sizes.condition + sizes.noise, sizes.features, nn.BatchNorm2d)
        self.img_net1 = picture(sizes.features)
        for number in range(2, sizes.stages + 1):
            self.add_module(f"h_net{number}", self.stage(sizes, START * 2 ** (number - 2)))
            self.add_module(f"img_net{number}", picture(sizes.features))

    @property
    def config(self) -> dict[str, Any]:
        """Plain values that `from_config` builds the same network of."""
        return asdict(self.sizes)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> StackedGenerator:
        """Inverse of ``config``."""
        return cls(Sizes(**config))

    def forward(
        self, noise: Tensor, eps: Tensor, sentence: Tensor, words: Tensor, hidden: Tensor | None = None
    ) -> Drawn:
        """Draw pictures.

        Args:
            noise: standard normals [B, noise].
            eps: standard normals [B, condition].
            sentence: [B, words].
            words: [B, words, T], 0 where a word is padding.
            hidden: bool [B, T], True where a word is padding; None for none.
        """
        condition, mean, log_variance = self.ca_net(sentence, eps)
        features = self.h_net1(condition, noise)
        images, seen = [self.img_net1(features)], []
        for number in range(2, self.sizes.stages + 1):
            features, attention = self.get_submodule(f"h_net{number}")(features, words, hidden)
            images.append(self.get_submodule(f"img_net{number}")(features))
            seen.append(attention)
        return Drawn(tuple(images), tuple(seen), mean, log_variance)


class WordStage(Stage):
    """AttnGAN's: every place attends to the words."""

    def __init__(self, sizes: Sizes, side: int) -> None:
        super().__init__(sizes, side)
        self.att = WordAttention(sizes.features, sizes.words)

    def look(self, features: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Join the features and what their places found."""
        context, attention = self.att(features, words, hidden)
        return torch.cat([features, context], dim=1), attention


class ChannelStage(WordStage):
    """ControlGAN's: the channels of what was found attend to the words, too."""

    parts = 3

    def __init__(self, sizes: Sizes, side: int) -> None:
        super().__init__(sizes, side)
        self.channel_att = ChannelAttention(side, sizes.words)

    def look(self, features: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Join the features and both findings."""
        context, attention = self.att(features, words, hidden)
        return torch.cat([features, context, self.channel_att(context, words)], dim=1), attention


class MemoryStage(Stage):
    """DM-GAN's: words are written to a memory, by a gate that sees the picture, and read by its places."""

    def __init__(self, sizes: Sizes, side: int) -> None:
        super().__init__(sizes, side)
        own, both = sizes.features, 2 * sizes.features
        self.A = nn.Linear(sizes.words, 1, bias=False)
        self.B = nn.Linear(own, 1, bias=False)
        self.M_w = nn.Sequential(nn.Conv1d(sizes.words, both, 1), nn.ReLU())
        self.M_r = nn.Sequential(nn.Conv1d(own, both, 1), nn.ReLU())
        self.key = nn.Sequential(nn.Conv1d(both, own, 1), nn.ReLU())
        self.value = nn.Sequential(nn.Conv1d(both, own, 1), nn.ReLU())
        self.response_gate = nn.Sequential(nn.Conv2d(both, 1, 1), nn.Sigmoid())

    def look(self, features: Tensor, words: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Answer with the features where the response gate is closed, else with the memory; joined with itself."""
        mean = features.mean((2, 3))
        gate = torch.sigmoid(self.A(words.mT) + self.B(mean)[:, None]).mT
        memory = self.M_w(words) * gate + self.M_r(mean[..., None]) * (1 - gate)
        found, attention = attend(features, self.key(memory), self.value(memory), hidden)
        response = self.response_gate(torch.cat([features, found], dim=1))
        answer = features * (1 - response) + found * response
        return torch.cat([answer, answer], dim=1), attention


class AttnGenerator(StackedGenerator):
    """AttnGAN."""

    stage = WordStage


class ControlGenerator(StackedGenerator):
    """ControlGAN."""

    stage = ChannelStage


class MemoryGenerator(StackedGenerator):
    """DM-GAN."""

    stage = MemoryStage
