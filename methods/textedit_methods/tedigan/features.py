"""The feature term of TediGAN's release: VGG-16 as Caffe trained it, at its fourth block."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from textedit_bench.models.vgg import VggFeatures

_MEANS = (103.939, 116.779, 123.68)
"""Of blue, green and red, on 0 to 255."""
_BLOCK, _CONV = 4, 3
_SIDE = 256
"""Of the pictures in the release."""


class FeatureDistance(nn.Module):
    """Compares pictures by their maps after the third convolution of the fourth block and its ReLU.

    Args:
        path: of the weights, whose tensors lie in the order of the layers.
    """

    means: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.vgg = VggFeatures(_BLOCK, _CONV).read(path)
        self.register_buffer("means", torch.tensor(_MEANS).view(3, 1, 1))

    def maps(self, images: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1], reduced to 256 pixels where they are larger -> maps [B, 512, h, w]."""
        if images.shape[-1] > _SIDE:
            images = nn.functional.interpolate(images, (_SIDE, _SIDE), mode="area")
        maps: Tensor = self.vgg((images.flip(1) + 1) * 127.5 - self.means)
        return maps

    def forward(self, images: Tensor, wanted: Tensor) -> Tensor:
        """Pictures and the maps of others -> mean squared differences [B]."""
        return (self.maps(images) - wanted).square().flatten(1).mean(1)
