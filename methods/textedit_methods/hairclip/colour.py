"""Compare hair colours as released: mean Lab values, of colours that are not linearised first."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_THRESHOLD = 0.008856


def lab(images: Tensor) -> Tensor:
    """Convert pictures [B, 3, H, W] in [-1, 1] to L in [0, 100], a and b, [B, 3, H, W].

    By CIE 1976, but for sRGB's gamma, which the released code leaves in.
    """
    matrix = torch.tensor(_TO_XYZ, dtype=images.dtype, device=images.device)
    matrix = matrix / matrix.sum(dim=1, keepdim=True)
    xyz = torch.einsum("ij,bjhw->bihw", matrix, images * 0.5 + 0.5)
    # The clamp keeps the slope of the unused branch finite.
    curved = torch.where(xyz > _THRESHOLD, xyz.clamp(min=_THRESHOLD).pow(1 / 3), 7.787 * xyz + 0.137931)
    x, y, z = curved.unbind(dim=1)
    lightness = torch.where(xyz[:, 1] > _THRESHOLD, 116 * y - 16, 903.3 * xyz[:, 1])
    return torch.stack([lightness, 500 * (x - y), 200 * (y - z)], dim=1)


def mean_lab(images: Tensor, hair: Tensor) -> Tensor:
    """Average Lab over the hair [B, 1, H, W] of pictures [B, 3, H, W]: [B, 3]; 0 where there is none."""
    return (lab(images) * hair).sum(dim=(2, 3)) / hair.sum(dim=(2, 3)).clamp(min=1e-6)


def colour_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference [B] of mean Lab values [B, 3]."""
    return (first - second).abs().mean(dim=1)
