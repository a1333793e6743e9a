"""HairCLIP's mapper: a W+ code and two text embeddings to an offset of the code.

Coarse and medium rows follow the hair style, fine rows the hair colour. Parameter names, the misspelt
``course_mapping`` among them, are those of the released checkpoint. Source: arXiv 2112.05142, and the released code
where the README of this folder says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.latent_mapper.network import ATTRIBUTES
from textedit_bench.models.layers import PixelNorm

SLOPE = 0.01
"""Negative slope of every activation."""
BLOCKS, STARTS = 5, (4, 8)
"""Published: blocks of a group; first rows of the medium and the fine group."""


class Modulation(nn.Module):
    """A linear layer, a norm over rows and channels together, and the text as scale and shift.

    Args:
        dim: width of W.
        text_dim: width of the embedding.
    """

    def __init__(self, dim: int, text_dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.gamma_function, self.beta_function = _text_branch(text_dim, dim), _text_branch(text_dim, dim)

    def forward(self, x: Tensor, text: Tensor | None) -> Tensor:
        """Map rows [B, R, dim] under texts [B, 1, text_dim], of which zeros, or None for all, ask for nothing."""
        x = self.fc(x)
        x = F.layer_norm(x, x.shape[1:])
        if text is None:
            return x
        modulated = F.leaky_relu(x * (1 + self.gamma_function(text)) + self.beta_function(text), SLOPE)
        return torch.where(text.any(dim=-1, keepdim=True), modulated, x)


class GroupMapper(nn.Module):
    """The blocks of one group of rows, after a norm over its ROWS: every channel has unit mean square over them."""

    def __init__(self, dim: int, text_dim: int, blocks: int) -> None:
        super().__init__()
        self.norm = PixelNorm()
        self.modulation_module_list = nn.ModuleList(Modulation(dim, text_dim) for _ in range(blocks))

    def forward(self, x: Tensor, text: Tensor | None) -> Tensor:
        """As `Modulation`."""
        x = self.norm(x)
        for block in self.modulation_module_list:
            x = block(x, text)
        return x


class HairMapper(nn.Module):
    """The whole mapper.

    Args:
        dim: width of W.
        text_dim: width of CLIP's embeddings.
        groups: those that there are, out of coarse, medium and fine; rows of the others get 0.
        blocks: of every group.
        starts: first rows of the medium and of the fine group (ours; published: 4 and 8 of 18 rows).

    Raises:
        ValueError: no group, or one that does not exist.
    """

    def __init__(
        self,
        dim: int,
        text_dim: int,
        groups: Sequence[str] = tuple(ATTRIBUTES),
        blocks: int = BLOCKS,
        starts: Sequence[int] = STARTS,
    ) -> None:
        super().__init__()
        if not groups or set(groups) - set(ATTRIBUTES):
            raise ValueError(f"groups are some of {', '.join(ATTRIBUTES)}, got {list(groups)}")
        self.dim, self.text_dim = dim, text_dim
        self.groups = [group for group in ATTRIBUTES if group in groups]
        self.blocks, self.starts = blocks, tuple(starts)
        for group in self.groups:
            setattr(self, ATTRIBUTES[group], GroupMapper(dim, text_dim, blocks))

    @property
    def config(self) -> dict[str, Any]:
        """Return the constructor arguments as plain JSON values."""
        sizes = {"dim": self.dim, "text_dim": self.text_dim, "groups": self.groups}
        return {**sizes, "blocks": self.blocks, "starts": list(self.starts)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> HairMapper:
        """Inverse of `config`."""
        return cls(**config)

    def forward(self, w_plus: Tensor, style: Tensor | None, colour: Tensor | None) -> Tensor:
        """Predict the offset before it is scaled.

        A group that nothing is asked of still moves its rows: without a text, the last operation of its blocks is a
        norm, whose mean square is 1 whatever was trained.

        Args:
            w_plus: [B, rows, dim], any number of rows.
            style: raw CLIP embeddings, NOT normalised, [B, text_dim]; a row of zeros asks for nothing, None for all.
            colour: likewise.

        Returns:
            [B, rows, dim]; exactly 0 in the rows of a group that does not exist.

        Raises:
            ValueError: the shapes do not fit the network.
        """
        if w_plus.ndim != 3 or w_plus.shape[2] != self.dim:
            raise ValueError(f"this mapper reads codes [B, rows, {self.dim}], got {tuple(w_plus.shape)}")
        for text in (style, colour):
            if text is not None and text.shape != (len(w_plus), self.text_dim):
                raise ValueError(f"this mapper reads texts [{len(w_plus)}, {self.text_dim}], got {tuple(text.shape)}")
        medium, fine = self.starts
        parts = []
        for group, rows in zip(ATTRIBUTES, (slice(0, medium), slice(medium, fine), slice(fine, None)), strict=True):
            part, text = w_plus[:, rows], colour if group == "fine" else style
            there = group in self.groups and part.numel() > 0
            text = None if text is None else text[:, None]
            parts.append(getattr(self, ATTRIBUTES[group])(part, text) if there else torch.zeros_like(part))
        return torch.cat(parts, dim=1)


def _text_branch(text_dim: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(text_dim, dim), nn.LayerNorm(dim), nn.LeakyReLU(SLOPE), nn.Linear(dim, dim))
