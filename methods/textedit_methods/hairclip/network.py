"""HairCLIP's mapper: a W+ code and two text embeddings to an offset of the code.

Coarse and medium rows follow the hair style, fine rows the hair colour. Parameter names, the misspelt
``course_mapping`` among them, are those of the released checkpoint. Source: arXiv 2112.05142, and the released code
where the README of this folder says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.latent_mapper.network import ATTRIBUTES, STARTS, GroupedMapper, text_branch
from textedit_bench.models.layers import PixelNorm


class Modulation(nn.Module):
    """A linear layer, a norm over rows and channels together, the text as scale and shift, and a leaky ReLU of 0.01."""

    def __init__(self, dim: int, text_dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.gamma_function, self.beta_function = text_branch(text_dim, dim), text_branch(text_dim, dim)

    def forward(self, x: Tensor, text: Tensor | None) -> Tensor:
        """Map rows [B, R, dim] under texts [B, 1, text_dim], of which zeros, or None for all, ask for nothing."""
        x = self.fc(x)
        x = F.layer_norm(x, x.shape[1:])
        if text is None:
            return x
        modulated = F.leaky_relu(x * (1 + self.gamma_function(text)) + self.beta_function(text))
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


class HairMapper(GroupedMapper):
    """The whole mapper.

    Args:
        dim, groups: of `GroupedMapper`.
        text_dim: width of CLIP's embeddings.
        blocks: of every group.
        starts: first rows of the medium and of the fine group (ours; published: 4 and 8 of 18 rows).
    """

    def __init__(
        self,
        dim: int,
        text_dim: int,
        groups: Sequence[str] = tuple(ATTRIBUTES),
        blocks: int = 5,
        starts: Sequence[int] = STARTS,
    ) -> None:
        super().__init__(dim, groups, lambda: GroupMapper(dim, text_dim, blocks))
        self.text_dim, self.blocks, self.starts = text_dim, blocks, tuple(starts)

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
        for text in (style, colour):
            if text is not None and text.shape != (len(w_plus), self.text_dim):
                raise ValueError(f"this mapper reads texts [{len(w_plus)}, {self.text_dim}], got {tuple(text.shape)}")
        style, colour = (None if text is None else text[:, None] for text in (style, colour))
        return self.by_group(w_plus, self.starts, style, style, colour)
