"""One text-driven edit with a delta mapper: mask, condition, offset."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_methods.deltaedit.deltas import unit_difference
from textedit_methods.deltaedit.relevance import relevant


def masked_offset(
    mapper: nn.Module, styles: Tensor, features: Tensor, difference: Tensor, keep: Tensor | None = None
) -> Tensor:
    """What is added to the styles at strength 1, [B, num_styles].

    Args:
        mapper: (styles, condition) -> offset.
        styles: convolutions' styles [B, num_styles].
        features: CLIP features of the images [B, d], of any length.
        difference: of texts or images [d], of any length.
        keep: channels that are edited, bool [num_styles]; all where None.
    """
    wanted = unit_difference(difference).expand(len(styles), -1)
    offset: Tensor = mapper(styles, torch.cat([F.normalize(features, dim=-1), wanted], dim=-1))
    return offset if keep is None else offset * keep


def channels_to_edit(relevance: Tensor, difference: Tensor, threshold: float, words: str) -> Tensor:
    """The relevance mask of a text difference, bool [num_styles].

    Raises:
        UserError: no channel reaches the threshold; says which one would.
    """
    keep = relevant(relevance, difference, threshold)
    if not keep.any():
        largest = float((relevance @ difference).abs().max())
        raise UserError(
            f"threshold {threshold:g} of deltaedit: no style channel is that relevant for {words!r}; "
            f"the most relevant one has {largest:.4g}, valid: 0 to that"
        )
    return keep
