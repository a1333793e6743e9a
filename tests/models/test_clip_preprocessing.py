"""The cheap form of the published preprocessing equals the published operations; the correct one equals CLIP's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from textedit_bench.models.clip import area_resample, correct_input, published_input


@pytest.mark.parametrize("side", [32, 64, 256])
def test_published_input_equals_enlarging_and_pooling(side):
    images = torch.rand(2, 3, side, side, dtype=torch.float64) * 2 - 1
    enlarged = F.interpolate(images, scale_factor=7, mode="nearest")
    torch.testing.assert_close(published_input(images, 224), F.avg_pool2d(enlarged, side // 32), rtol=0, atol=1e-14)


def test_area_resampling_keeps_the_mean_and_takes_oblong_pictures():
    images = torch.rand(1, 3, 48, 64, dtype=torch.float64)
    small = area_resample(images, 14, 28)
    assert small.shape == (1, 3, 14, 28)
    torch.testing.assert_close(small.mean(dim=(2, 3)), images.mean(dim=(2, 3)))


def test_area_resampling_passes_gradients():
    images = torch.rand(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: area_resample(x, 4, 9), (images,))


@pytest.mark.parametrize("shape", [(48, 48), (40, 60), (20, 20)])
def test_correct_input_follows_the_pillow_pipeline(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    size, scale = 28, 28 / min(shape)
    picture = Image.fromarray(pixels).resize((int(shape[1] * scale), int(shape[0] * scale)), Image.Resampling.BICUBIC)
    left, top = round((picture.width - size) / 2), round((picture.height - size) / 2)
    expected = np.asarray(picture.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
    zero, one = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    actual = correct_input(images, size, zero, one)[0].permute(1, 2, 0).numpy()
    assert np.abs(actual - expected).max() <= 1.25 / 255  # Pillow rounds to whole grey levels after each axis
    shifted = correct_input(images, size, one * 0.5, one * 0.25)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(shifted, (actual - 0.5) / 0.25, atol=1e-5)
