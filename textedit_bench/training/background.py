"""Keep what is not hair: the background term of arXiv 2112.05142 and arXiv 2210.07883."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def background_term(source: Tensor, edited: Tensor, source_hair: Tensor, edited_hair: Tensor) -> Tensor:
    """Compute the mean squared difference over pixels that are hair in neither image, relative to all pixels.

    "Background" is the published name; the mask keeps the face too. Masked pixels count as zeros in the mean.

    Args:
        source: images [B, 3, H, W].
        edited: images [B, 3, H, W].
        source_hair: 1 where the source shows hair, else 0, [B, 1, H, W].
        edited_hair: likewise of the edited images; without a gradient.
    """
    keep = (1 - source_hair) * (1 - edited_hair)
    return F.mse_loss(edited * keep, source * keep)
