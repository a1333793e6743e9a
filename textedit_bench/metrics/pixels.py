"""Compute PSNR, SSIM and L1 between pictures, one value per image, float64, optionally outside an edited region.

torchmetrics' versions are not used: its PSNR pools the squared error over the batch, and neither of them takes a mask.
Blanking the masked pixels in both images instead would add 10 log10(1 / kept fraction) dB to PSNR; here the error is
averaged over the kept pixels only.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

_TAPS = 11
_SIGMA = 1.5
_TILE = 64
"""Side of the blur matrices in pixels."""
_HALF = _TAPS // 2
"""Half the SSIM window: closer to the border it leaves the picture, closer to a region it includes the edit."""


def _check(a: Tensor, b: Tensor, keep: Tensor | None) -> None:
    if a.shape != b.shape or a.ndim != 4:
        raise ValueError(f"two batches [B, C, H, W] of one shape are needed, got {tuple(a.shape)} and {tuple(b.shape)}")
    if keep is not None and keep.shape != (a.shape[0], *a.shape[2:]):
        raise ValueError(f"mask must have shape [B, H, W] = {(a.shape[0], *a.shape[2:])}, got {tuple(keep.shape)}")


def _kept_mean(values: Tensor, keep: Tensor | None) -> Tensor:
    """Compute the mean of [B, C, H, W] per image over the kept pixels; nan if a mask keeps none."""
    if keep is None:
        return values.mean(dim=(1, 2, 3))
    kept = keep[:, None].to(values.dtype)
    return (values * kept).sum(dim=(1, 2, 3)) / (kept.sum(dim=(1, 2, 3)) * values.shape[1])


def psnr(a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the peak signal-to-noise ratio in dB, shape [B]; infinite for identical pixels, nan for an empty mask.

    Args:
        a: images [B, C, H, W] in [0, 1].
        b: images to compare with.
        keep: bool [B, H, W], True where pixels count.
    """
    _check(a, b, keep)
    return psnr_over(a.double() - b.double(), keep)


def psnr_over(difference: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the PSNR per image [B] from the difference of the images [B, C, H, W] float64, for several regions."""
    return -10.0 * torch.log10(_kept_mean(difference.square(), keep))


def l1(a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the mean absolute difference, shape [B], in [0, 1]; arguments as `psnr`."""
    _check(a, b, keep)
    return l1_over(a.double() - b.double(), keep)


def l1_over(difference: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the L1 distance per image [B] from the difference of the images; ``keep`` as in `l1`."""
    return _kept_mean(difference.abs(), keep)


def ssim(a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the structural similarity (Wang et al. 2004), mean over RGB and pixels, shape [B], at most 1.

    Gaussian window of 11 taps, sigma 1.5, population covariance, data range 1. As in Wang et al. and scikit-image, only
    windows inside the picture count: its border of 5 pixels is left out.

    Args:
        a: images [B, C, H, W] in [0, 1], at least 11 pixels a side.
        b: images to compare with.
        keep: bool [B, H, W], True where pixels count; eroded by half the window, because a window that reaches into
            the region includes the edit.
    """
    _check(a, b, keep)
    return ssim_over(ssim_map(a, b), keep)


def ssim_over(values: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the SSIM per image [B] from its map [B, C, H, W], for several regions; ``keep`` as in `ssim`."""
    if keep is not None:
        # A square window is a column of rows: 22 comparisons per pixel in place of 121.
        reach = (~keep).float()[:, None]
        for window, padding in (((_TAPS, 1), (_HALF, 0)), ((1, _TAPS), (0, _HALF))):
            reach = F.max_pool2d(reach, window, stride=1, padding=padding)
        keep = (reach[:, 0] == 0)[:, _HALF:-_HALF, _HALF:-_HALF]
    return _kept_mean(values[..., _HALF:-_HALF, _HALF:-_HALF], keep)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """Compute the SSIM at every pixel, [B, C, H, W] float64; arguments as `ssim`."""
    return ssim_map_from(a, local_mean(a), b, local_mean(b))


def local_mean(images: Tensor) -> Tensor:
    """Compute the mean under SSIM's window at every pixel of images [B, C, H, W], float64; arguments as `ssim`."""
    if min(images.shape[-2:]) < _TAPS:
        raise ValueError(f"SSIM needs images of at least {_TAPS} pixels a side, got {tuple(images.shape[-2:])}")
    return _blur(images.double())


def ssim_map_from(a: Tensor, mean_a: Tensor, b: Tensor, mean_b: Tensor) -> Tensor:
    """Compute `ssim_map` of images whose `local_mean` is known, for pictures that are compared more than once."""
    a, b = a.double(), b.double()
    squares, product = _blur((a * a).add_(b * b)), _blur(a * b)
    c1, c2 = 0.01**2, 0.03**2
    # In place: fresh memory for every step would cost as much as the arithmetic.
    means = mean_a.square().add_(mean_b.square())
    luminance = (mean_a * mean_b).mul_(2.0)
    structure = product.mul_(2.0).sub_(luminance).add_(c2)
    below = squares.sub_(means).add_(c2).mul_(means.add_(c1))
    return luminance.add_(c1).mul_(structure).div_(below)


def _blur(images: Tensor) -> Tensor:
    """Apply a separable Gaussian blur with mirrored borders over the last two axes."""
    return _blur_along(_blur_along(images, -2), -1)


def _blur_along(images: Tensor, axis: int) -> Tensor:
    """Blur along one of the last two axes, in overlapping tiles that share one matrix.

    Small dense products are many times faster than an 11-tap convolution of one channel, on a CPU and on a GPU; a
    matrix as wide as a picture of 1024 pixels would do 14 times the work.
    """
    side, half = images.shape[axis], _HALF
    tile = min(side, _TILE)
    # A few kilobytes: they travel with the next kernel, and nothing waits for them.
    matrix = _blur_matrix(tile).to(images.device, non_blocking=True)
    if side == tile:
        return matrix @ images if axis == -2 else images @ matrix.T
    blurred = torch.empty_like(images)
    for start in range(0, side - 2 * half, tile - 2 * half):
        first = min(start, side - tile)
        # Values near the border of a tile are correct only where it is the border of the picture.
        low, high = 0 if first == 0 else half, tile if first + tile == side else tile - half
        seen, rows = images.narrow(axis, first, tile), matrix[low:high]
        blurred.narrow(axis, first + low, high - low).copy_(rows @ seen if axis == -2 else seen @ rows.T)
        if first + tile == side:
            break
    return blurred


@cache
def _blur_matrix(side: int) -> Tensor:
    """Return the blur along an axis of ``side`` pixels as a banded matrix [side, side], float64."""
    offsets = torch.arange(-_HALF, _HALF + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / _SIGMA).square())
    source = (torch.arange(side)[:, None] + offsets).abs()
    source = torch.where(source >= side, 2 * (side - 1) - source, source)
    matrix = torch.zeros(side, side, dtype=torch.float64)
    return matrix.scatter_add_(1, source, (kernel / kernel.sum()).expand(side, -1))
