"""PSNR, SSIM and L1 against independent implementations, and masks that only leave pixels out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from textedit_bench.metrics.pixels import l1, local_mean, psnr, ssim


def _pair(draw: torch.Generator, shape: tuple[int, ...] = (3, 3, 24, 20)) -> tuple[torch.Tensor, torch.Tensor]:
    a = torch.rand(shape, generator=draw, dtype=torch.float64)
    return a, (a + 0.2 * torch.randn(shape, generator=draw, dtype=torch.float64)).clamp(0, 1)


def test_psnr_equals_scikit_image_per_image(draw: torch.Generator) -> None:
    a, b = _pair(draw)
    expected = [peak_signal_noise_ratio(x.numpy(), y.numpy(), data_range=1.0) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(psnr(a, b), expected, atol=1e-9)


def test_ssim_equals_scikit_image(draw: torch.Generator) -> None:
    a, b = _pair(draw)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    expected = [
        structural_similarity(x.numpy(), y.numpy(), channel_axis=0, **options) for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(ssim(a, b), expected, atol=1e-12)


def test_the_border_does_not_count(draw: torch.Generator) -> None:
    a, b = _pair(draw)
    keep = torch.zeros(3, 24, 20, dtype=torch.bool)
    keep[:, :5] = True
    assert ssim(a, b, keep).isnan().all()


@settings(max_examples=30, deadline=None)
@given(height=st.integers(11, 200), width=st.integers(11, 200))
def test_the_blur_in_tiles_is_the_blur_of_the_whole_picture(height: int, width: int) -> None:
    picture = torch.rand(height, width, generator=torch.Generator().manual_seed(height * 1000 + width)).double()
    expected = gaussian_filter(picture.numpy(), 1.5, truncate=3.5, mode="mirror")
    np.testing.assert_allclose(local_mean(picture[None, None])[0, 0], expected, atol=1e-12)


def test_l1_is_the_mean_absolute_difference(draw: torch.Generator) -> None:
    a, b = _pair(draw)
    np.testing.assert_allclose(l1(a, b), np.abs(a.numpy() - b.numpy()).mean((1, 2, 3)), atol=1e-15)


def test_a_full_mask_changes_nothing_and_a_mask_removes_its_pixels(draw: torch.Generator) -> None:
    a, b = _pair(draw)
    full = torch.ones(3, 24, 20, dtype=torch.bool)
    for metric in (psnr, l1, ssim):
        np.testing.assert_allclose(metric(a, b, full), metric(a, b), atol=1e-12)
    half = full.clone()
    half[:, :12] = False
    spoiled = b.clone()
    spoiled[:, :, :12] = torch.rand(3, 3, 12, 20, generator=draw, dtype=torch.float64)
    for metric in (psnr, l1, ssim):
        np.testing.assert_allclose(metric(a, spoiled, half), metric(a, b, half), atol=1e-12)


def test_masking_a_constant_error_leaves_psnr_alone() -> None:
    a = torch.zeros(1, 3, 16, 16)
    keep = torch.zeros(1, 16, 16, dtype=torch.bool)
    keep[:, :4] = True
    assert psnr(a, a + 0.1, keep).item() == pytest.approx(20.0, abs=1e-6)


def test_degenerate_pictures() -> None:
    black = torch.zeros(1, 3, 16, 16)
    assert psnr(black, black).item() == float("inf")
    assert ssim(black, black).item() == pytest.approx(1.0) == ssim(black[..., :11, :11], black[..., :11, :11]).item()
    assert psnr(black, black, torch.zeros(1, 16, 16, dtype=torch.bool)).isnan().all()
    with pytest.raises(ValueError, match="one shape"):
        psnr(black, black[:, :, :8])
    with pytest.raises(ValueError, match="at least 11"):
        ssim(black[..., :8], black[..., :8])
    with pytest.raises(ValueError, match="mask"):
        l1(black, black, torch.ones(1, 8, 8, dtype=torch.bool))
