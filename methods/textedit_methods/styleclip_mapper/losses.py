"""The terms of the mapper's loss, as released; each is a number, to be weighted and summed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def clip_term(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Mean cosine distance of images [..., d] to their text [..., d] (broadcast); vectors of any length."""
    return (1 - F.cosine_similarity(image_features, text_features, dim=-1)).mean()


def identity_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean of one minus the inner product of unit identity vectors [..., d]; no gradient to the source."""
    return (1 - (source.detach() * edited).sum(dim=-1)).mean()


def latent_term(step: Tensor, widths: Sequence[int] | None = None) -> Tensor:
    """Mean square of the step that is added to the code, the factor 0.1 included.

    A MEAN over the elements, where StyleCLIP's optimisation sums them.

    Args:
        step: [..., rows, d] of W+, or styles [..., sum of widths].
        widths: of the style vectors: the mean is taken within every vector, and these means are summed.
    """
    if widths is None:
        return step.square().mean()
    return torch.stack([part.square().mean() for part in step.split(list(widths), dim=-1)]).sum()
