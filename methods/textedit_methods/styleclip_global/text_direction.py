"""From a pair of texts to a direction in CLIP's space (paper, section 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.models.clip_templates import sentences

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel


@torch.no_grad()
def text_embedding(clip: ClipModel, text: str) -> Tensor:
    """Mean of the unit embeddings of a text in every template, normalised again: [d]."""
    return F.normalize(F.normalize(clip.encode_text(sentences(text)), dim=-1).mean(0), dim=0)


def text_direction(clip: ClipModel, target: str, source: str) -> Tensor:
    """Unit vector from the source text's embedding to the target's: [d].

    Raises:
        UserError: both texts mean the same to CLIP.
    """
    difference = text_embedding(clip, target) - text_embedding(clip, source)
    if difference.norm() < 1e-6:
        raise UserError(f"prompt: target {target!r} and source {source!r} are the same to CLIP; they must differ")
    return F.normalize(difference, dim=0)
