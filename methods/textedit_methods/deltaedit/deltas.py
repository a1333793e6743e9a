"""Differences in CLIP's space: of images in training, of texts at edit time."""

from __future__ import annotations

from torch import Tensor

_SHORTEST = 1e-5


def unit_difference(difference: Tensor) -> Tensor:
    """Differences [..., d] at unit length; those shorter than 1e-5 are divided by 1e-5, as released."""
    return difference / difference.norm(dim=-1, keepdim=True).clamp(min=_SHORTEST)
