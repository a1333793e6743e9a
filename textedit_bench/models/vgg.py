"""The convolutions of VGG-16 as far as a loss or a network needs them.

Source: Simonyan and Zisserman 2015 (arXiv 1409.1556), configuration D.
"""

from __future__ import annotations

import os
from pathlib import Path

from torch import Tensor, nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models.state_dicts import load_exactly
from textedit_bench.models.torch_files import read_named

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions of every block; a maximum pool lies between blocks."""


class VggFeatures(nn.Module):
    """Maps of one convolution of VGG-16, after its ReLU.

    Args:
        block: of the convolution, from 1.
        conv: its number in the block, from 1.
    """

    def __init__(self, block: int, conv: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        into = 3
        for number, widths in enumerate(WIDTHS[:block], start=1):
            layers += [nn.MaxPool2d(2)] if number > 1 else []
            for out in widths[: conv if number == block else None]:
                layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU()]
                into = out
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Pictures [B, 3, H, W], prepared as the weights ask for, -> maps [B, C, H', W']."""
        maps: Tensor = self.features(images)
        return maps

    def read(self, path: str | os.PathLike[str]) -> VggFeatures:
        """Copy the weights of a file, whose tensors lie in the order of the layers, and freeze them.

        Ports call the layers by other names; their order and shapes are the same.

        Raises:
            CheckpointError: the file is missing, damaged, or holds another network.
        """
        content = read_named(Path(path), "torchvision")
        stored = {name: value for name, value in content.items() if isinstance(value, Tensor)}
        own = self.state_dict()
        found = dict(zip(own, stored.values(), strict=False))
        if len(found) < len(own) or any(found[name].shape != own[name].shape for name in own):
            raise CheckpointError(f"{path}: no VGG-16 (its first {len(own)} tensors have other shapes)")
        load_exactly(self, {name: value.float() for name, value in found.items()}, str(path))
        return self.eval().requires_grad_(False)
