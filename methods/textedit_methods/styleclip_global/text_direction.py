"""From a pair of texts to a direction in CLIP's space (paper, section 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.models.clip_templates import mean_embedding, sentences

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel


def text_direction(clip: ClipModel, target: str, source: str) -> Tensor:
    """Unit vector from the source text's embedding to the target's: [d].

    Raises:
        UserError: both texts mean the same to CLIP.
    """
    difference = mean_embedding(clip, sentences(target)) - mean_embedding(clip, sentences(source))
    if difference.norm() < 1e-6:
        raise UserError(f"prompt: target {target!r} and source {source!r} are the same to CLIP; they must differ")
    return F.normalize(difference, dim=0)
