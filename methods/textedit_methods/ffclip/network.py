"""The FFCLIP mapper: four modulation blocks that map a W+ code and a text embedding to an offset of the code.

Parameter names are those of the released checkpoints, so their tensors load as they are. Nothing depends on 18 rows or
a width of 512. Source: arXiv 2210.07883 and the behaviour of the released code, which differs from the text in the
ways that the README of this folder lists.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.latent_mapper.network import text_branch
from textedit_bench.models.storage import StoredNetwork

LAYER_NORM_EPS = 1e-5
"""The translation is normalised while its spread is far below the root of this: another value changes the output."""
ROW_NORM_EPS = 1e-8
SLOPE = 0.01
"""Negative slope of every activation in the published network."""


class ChannelAttention(nn.Module):
    """The translation T of a block: attention of the text's channels over the code's channels, averaged over the rows.

    The key is an outer product of the text with one learned number per row. So the map before the softmax has rank one,
    ``e_i r_j / sqrt(d)`` with ``r = u^T Q'``, and the average over rows can be taken before the product with the map.
    Both are used here; neither changes the result. The entries of the map are nearly uniform, and the layer norm
    that follows keeps only their small differences; it also removes any constant over the channels. Summing
    ``exp(l - max l) - 1`` in place of the softmax leaves out exactly such a constant, and the rounding error with it.
    """

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        self.q_matrix = nn.Linear(dim, dim, bias=False)
        self.k_matrix = nn.Linear(1, rows, bias=False)
        self.v_matrix = nn.Linear(dim, dim, bias=False)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """Map code [B, rows, d] and text [B, 1, d] to T [B, 1, d], mean 0 and at most unit variance over channels."""
        dim = x.shape[-1]
        response = _linear(self.k_matrix.weight.t() @ x, self.q_matrix)  # [B, 1, d]: u^T (x Uq)
        value = _linear(x.mean(dim=1, keepdim=True), self.v_matrix)  # [B, 1, d]
        logits = text.transpose(1, 2) * response / math.sqrt(dim)  # [B, d text, d code]
        surplus = torch.expm1(logits - logits.amax(dim=-1, keepdim=True))
        partition = surplus.sum(dim=-1) + dim  # [B, d text]: the softmax's denominator
        pooled = (value / partition.unsqueeze(1)) @ surplus
        return F.layer_norm(pooled, (dim,), eps=LAYER_NORM_EPS)


class ModulationBlock(nn.Module):
    """Row normalisation, both attentions, layer norm, and the injection of the text as scale and shift.

    Args:
        rows: W+ rows N.
        dim: width d of code and text.
        slope: negative slope of the activation at the end.
    """

    def __init__(self, rows: int, dim: int, slope: float = SLOPE) -> None:
        super().__init__()
        self.slope = slope
        self.q_matrix = nn.Linear(dim, dim, bias=False)
        self.k_matrix = nn.Linear(dim, dim, bias=False)
        self.v_matrix = nn.Linear(dim, dim, bias=False)
        self.attention_layer = ChannelAttention(rows, dim)
        self.gamma_, self.beta_ = text_branch(dim, dim), text_branch(dim, dim)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """Map code [B, rows, d] and text [B, 1, d] to [B, rows, d]."""
        dim = x.shape[-1]
        # over the ROWS, as released: every channel gets unit mean square over the rows
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + ROW_NORM_EPS)
        key, value, query = self.k_matrix(x), self.v_matrix(x), self.q_matrix(text)
        scale = torch.softmax(key @ query.transpose(1, 2), dim=1)  # [B, rows, 1]; no 1/sqrt(d), as released
        aligned = scale * value + self.attention_layer(x, text)
        aligned = F.layer_norm(aligned, (dim,), eps=LAYER_NORM_EPS)
        return F.leaky_relu(aligned * (1 + self.gamma_(text)) + self.beta_(text), self.slope)


class DynamicMapper(StoredNetwork):
    """The whole mapper: a sequence of blocks without residual connections.

    Args:
        rows: W+ rows N of the generator.
        dim: width of W, which must be the width of the text embedding.
        blocks: modulation blocks; 4 in the paper.
        final_slope: negative slope after the last block. 0.01 as published shrinks negative offsets a hundredfold, so
            that codes are practically only ever increased; 1.0 (ours) leaves both signs alike.
        start_scale: factor on the output at the start of training, put into the last block's text branches. 1.0 as
            published; less (ours) starts with small edits.
    """

    def __init__(
        self, rows: int, dim: int, blocks: int = 4, final_slope: float = SLOPE, start_scale: float = 1.0
    ) -> None:
        super().__init__()
        self.rows, self.dim, self.final_slope = rows, dim, final_slope
        slopes = [SLOPE] * (blocks - 1) + [final_slope]
        self.att_mapper = nn.ModuleList(ModulationBlock(rows, dim, slope) for slope in slopes)
        if start_scale != 1.0:
            self._shrink(start_scale)

    @torch.no_grad()
    def _shrink(self, factor: float) -> None:
        """Scale the last block's ``1 + gamma`` and ``beta``, and so its output, by ``factor``."""
        last: Any = self.att_mapper[-1]
        for parameter in [*last.gamma_[3].parameters(), *last.beta_[3].parameters()]:
            parameter.mul_(factor)
        last.gamma_[3].bias.sub_(1 - factor)

    @property
    def config(self) -> dict[str, Any]:
        """Return the constructor arguments of a trained network, as plain JSON values."""
        return {"rows": self.rows, "dim": self.dim, "blocks": len(self.att_mapper), "final_slope": self.final_slope}

    def forward(self, w_plus: Tensor, text: Tensor) -> Tensor:
        """Predict the offset of the code at strength 1.

        Args:
            w_plus: [B, rows, d].
            text: raw CLIP text embeddings, NOT normalised, [B, d] or [B, 1, d].

        Returns:
            [B, rows, d], float32 or wider: autocast is off inside, because half precision destroys the small
            differences that the channel attention normalises.

        Raises:
            ValueError: the shapes do not fit the network.
        """
        text = text.unsqueeze(1) if text.ndim == 2 else text
        if w_plus.shape[1:] != (self.rows, self.dim):
            raise ValueError(f"this mapper reads codes [B, {self.rows}, {self.dim}], got {tuple(w_plus.shape)}")
        if text.shape != (len(w_plus), 1, self.dim):
            raise ValueError(f"this mapper reads texts [{len(w_plus)}, {self.dim}], got {tuple(text.shape)}")
        dtype = torch.promote_types(w_plus.dtype, torch.float32)
        x, text = w_plus.to(dtype), text.to(dtype)
        with torch.autocast(w_plus.device.type, enabled=False):
            for block in self.att_mapper:
                x = block(x, text)
        return x


def _linear(x: Tensor, layer: nn.Linear) -> Tensor:
    return F.linear(x, layer.weight)
