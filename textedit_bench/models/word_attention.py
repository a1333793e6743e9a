"""Attention of a picture to the words of a text, by place and by channel.

A padded word is hidden from the places of its own picture. The published code hides, at row b * places + place, the
words of text (b * places + place) mod B, so that pictures of one batch depend on each other where texts have several
lengths; for texts of one length both are the same.

Source: Xu et al. 2018 (arXiv 1711.10485), eq. 6-8; Li et al. 2019 (ControlGAN, arXiv 1909.07083), sec. 3.2.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

_CHANNEL_MAP = re.compile(r"^h_net([23])\.channel_att\.conv_context\1\.weight$")


def own_name(name: str, unread: re.Pattern[str]) -> str | None:
    """Return our name of a tensor in the authors' files; None for one that is never used.

    Of the maps of `ChannelAttention` a stage has one per side, numbered, of which it uses its own.

    Args:
        name: the authors'.
        unread: matches the other maps, once a stage's own are found.
    """
    if match := _CHANNEL_MAP.match(name):
        return f"h_net{match[1]}.channel_att.conv_context.weight"
    return None if unread.match(name) or name.endswith(".num_batches_tracked") else name


def attend(features: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Give every place the mean of the words' values, weighted by how well their keys fit.

    Args:
        features: [B, C, H, W].
        keys: of the words, [B, C, T].
        values: of the words, [B, D, T].
        hidden: bool [B, T], True where a word is padding; None for none.

    Returns:
        Means [B, D, H, W], and weights [B, T, H, W], which sum to 1 over the words.
    """
    scores = torch.einsum("bcp,bct->btp", features.flatten(2), keys)
    if hidden is not None:
        scores = scores.masked_fill(hidden[:, :, None], -torch.inf)
    weights, sides = scores.softmax(1), features.shape[2:]
    return torch.einsum("bdt,btp->bdp", values, weights).unflatten(2, sides), weights.unflatten(2, sides)


class WordAttention(nn.Module):
    """Attention by place; key and value of a word are the same."""

    def __init__(self, features: int, words: int) -> None:
        super().__init__()
        self.conv_context = nn.Conv2d(words, features, 1, bias=False)

    def forward(self, features: Tensor, words: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features [B, C, H, W] and words [B, words, T] -> as `attend`."""
        keys = self.conv_context(words[..., None])[..., 0]
        return attend(features, keys, keys, hidden)


class ChannelAttention(nn.Module):
    """Attention of every channel's map, of ``side`` x ``side`` places, to the words.

    Padding is not hidden, in the published code neither: give it the words of a text alone.
    """

    def __init__(self, side: int, words: int) -> None:
        super().__init__()
        self.conv_context = nn.Conv2d(words, side**2, 1, bias=False)

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        """Features [B, C, side, side] and words [B, words, T] -> [B, C, side, side]."""
        maps = self.conv_context(words[..., None])[..., 0]
        weights = torch.einsum("bcp,bpt->bct", features.flatten(2), maps).softmax(2)
        return torch.einsum("bct,bpt->bcp", weights, maps).unflatten(2, features.shape[2:])
