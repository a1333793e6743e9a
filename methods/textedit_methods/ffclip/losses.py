"""The terms of the FFCLIP loss, as released; each is a number, to be weighted and summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

HAIR = 13
"""Class of hair in the CelebAMask-HQ order of the 19-class parser that the published mask comes from."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; the defaults are the published ones."""

    clip: float = 1.0
    identity: float = 0.9
    latent: float = 1.6
    background: float = 2.0
    embedding: float = 1.0
    pixel: float = 0.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LossWeights:
        """Read ``clip_weight``, ``identity_weight`` and so on."""
        return cls(**{name: float(settings[f"{name}_weight"]) for name in cls.__dataclass_fields__})

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of the terms given by name."""
        return torch.stack([getattr(self, name) * value for name, value in terms.items()]).sum()


def clip_term(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Cosine distance between edited images and texts, SUMMED over the batch, so it grows with the batch size.

    Args:
        image_features: [B, d], any length.
        text_features: [B, d], any length.
    """
    return (1 - F.cosine_similarity(image_features, text_features, dim=-1)).sum()


def identity_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean of one minus the inner product of unit identity vectors [B, d]; no gradient to the source."""
    return (1 - (source.detach() * edited).sum(dim=-1)).mean()


def latent_term(delta: Tensor) -> Tensor:
    """Mean absolute offset over batch, rows and channels (L1, where StyleCLIP's mapper squares)."""
    return delta.abs().mean()


def embedding_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean absolute difference of raw CLIP image features [B, d]."""
    return (source.detach() - edited).abs().mean()


def background_term(source: Tensor, edited: Tensor, source_classes: Tensor, edited_classes: Tensor) -> Tensor:
    """Mean squared difference over all pixels, counting those that are hair in neither image.

    "Background" is the published name; the mask keeps the face too. Masked pixels count as zeros in the mean.

    Args:
        source: images [B, 3, H, W].
        edited: images [B, 3, H, W].
        source_classes: parser logits [B, 19, h, w] of the source, in CelebAMask-HQ order.
        edited_classes: parser logits of the edited images.
    """
    keep = (source_classes.argmax(dim=1) != HAIR) & (edited_classes.argmax(dim=1) != HAIR)
    mask = F.interpolate(keep.unsqueeze(1).to(source.dtype), size=source.shape[-2:], mode="nearest")
    return F.mse_loss(edited * mask, source * mask)


def pixel_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean absolute pixel difference."""
    return (source - edited).abs().mean()
