"""The terms of the CLIP2GAN loss; each is a number, to be weighted and summed.

Source: arXiv 2211.15045. The identity term and the adversarial one (WGAN-GP) are named there; no weight is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

DISTANCE_FLOOR = 1e-3
"""Smallest image distance that the diversity term divides by: its gradient grows with the inverse square."""
DIVERSITY_CEILING = 10.0
"""Largest value of the diversity term per picture; beyond it no gradient flows."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; all of them are ours (README)."""

    reconstruction: float = 1.0
    perceptual: float = 0.8
    adversarial: float = 0.1
    identity: float = 0.1
    diversity: float = 0.1
    consistency: float = 0.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LossWeights:
        """Read ``reconstruction_weight``, ``perceptual_weight`` and so on."""
        return cls(**{name: float(settings[f"{name}_weight"]) for name in cls.__dataclass_fields__})

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of the terms given by name."""
        return torch.stack([getattr(self, name) * value for name, value in terms.items()]).sum()


def reconstruction_term(real: Tensor, rebuilt: Tensor) -> Tensor:
    """Mean squared difference over batch, channels and pixels (the squared norm, free of the resolution)."""
    return (real - rebuilt).square().mean()


def feature_maps_term(real: Sequence[Tensor], rebuilt: Sequence[Tensor]) -> Tensor:
    """Perceptual distance in the form of LPIPS.

    Channels have unit length at every place; squared distances are averaged over places and batch, summed over layers.

    Args:
        real: feature maps [B, C, H, W], one per layer.
        rebuilt: the same of the rebuilt pictures.

    Source: Zhang et al. 2018 (LPIPS), equation 1, with unit channel weights.
    """
    layers = [(_unit(a) - _unit(b)).square().sum(dim=1).mean() for a, b in zip(real, rebuilt, strict=True)]
    return torch.stack(layers).sum()


def _unit(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(dim=1, keepdim=True) + 1e-10).sqrt()


def identity_term(real: Tensor, rebuilt: Tensor) -> Tensor:
    """Mean of one minus the inner product of unit identity vectors [B, d]; no gradient to the first."""
    return (1 - (real.detach() * rebuilt).sum(dim=-1)).mean()


def generator_term(on_rebuilt: Tensor) -> Tensor:
    """What the mapping network lowers against the critic: minus the mean of its answers [B, 1] to rebuilt pictures."""
    return -on_rebuilt.mean()


def critic_loss(on_real: Tensor, on_rebuilt: Tensor) -> Tensor:
    """What the critic lowers, without its penalty: mean answer to rebuilt pictures minus mean answer to real ones."""
    return on_rebuilt.mean() - on_real.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, rebuilt: Tensor, share: Tensor) -> Tensor:
    """Mean squared deviation from 1 of the norm of the critic's gradient, on lines between real and rebuilt pictures.

    Args:
        critic: pictures -> answers, without statistics over the batch: the gradient is taken picture by picture.
        real: [B, 3, H, W].
        rebuilt: [B, 3, H, W].
        share: where on the line, [B] in [0, 1].

    Source: Gulrajani et al. 2017 (WGAN-GP), equation 3.
    """
    mix = share.view(-1, 1, 1, 1)
    between = (mix * real.detach() + (1 - mix) * rebuilt.detach()).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def diversity_term(features: Tensor, noisy_features: Tensor, images: Tensor, noisy_images: Tensor) -> Tensor:
    """How far the noise moved the features over how far it moved the pictures, L1 both, mean over the batch.

    The distance is taken between the two generated pictures. The formula as printed has the INPUT photo in the place of
    the first; that ratio also falls when the photo is rebuilt badly, which fights the reconstruction.

    Args:
        features: [B, d], as the mapping network reads them.
        noisy_features: the same with noise.
        images: G(M(features)) [B, 3, H, W].
        noisy_images: G(M(noisy_features)).
    """
    moved = (features - noisy_features).abs().mean(dim=1)
    distance = (images - noisy_images).abs().flatten(1).mean(dim=1)
    return (moved / distance.clamp(min=DISTANCE_FLOOR)).clamp(max=DIVERSITY_CEILING).mean()


def consistency_term(features: Tensor, seen: Tensor) -> Tensor:
    """Mean of one minus the cosine between features [B, d] and CLIP's features of the picture made of them (ours)."""
    return (1 - torch.nn.functional.cosine_similarity(features.detach(), seen, dim=-1)).mean()
