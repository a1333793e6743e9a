"""Run parts of the synthesis network, so that layers before a changed one are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


@dataclass(frozen=True)
class Features:
    """The features passed between style layers.

    Attributes:
        x: [B, C, H, W].
        rgb: colours so far [B, 3, H, W]; None before the first toRGB.
    """

    x: Tensor
    rgb: Tensor | None

    def repeated(self, times: int) -> Features:
        """Repeat the batch ``times`` times."""
        rgb = None if self.rgb is None else self.rgb.repeat(times, 1, 1, 1)
        return Features(self.x.repeat(times, 1, 1, 1), rgb)


def start(generator: Generator, batch: int) -> Features:
    """Return the features before the first layer."""
    constant = generator.input.input.expand(batch, -1, -1, -1)
    return Features(constant.contiguous(memory_format=torch.channels_last), None)


def run(generator: Generator, features: Features, styles: Tensor, first: int, end: int | None = None) -> Features:
    """Run style layers ``first .. end`` (all remaining ones if None) with the stored noise.

    Equal to the generator's ``synthesize_style`` when run from `start` to the end.

    Args:
        features: before layer ``first``.
        styles: whole style codes [B, styles]; those of other layers are not read.
    """
    widths = [layer.channels for layer in generator.style_layout]
    vectors = styles.split(widths, dim=1)
    x, rgb = features.x, features.rgb
    for position, layer in list(enumerate(generator.style_layout))[first:end]:
        module = generator.get_submodule(layer.layer)
        if layer.is_rgb:
            rgb = module(x, vectors[position], rgb)
        else:
            number = sum(not before.is_rgb for before in generator.style_layout[:position])
            x = module(x, vectors[position], generator.noises.get_buffer(f"noise_{number}"))
    return Features(x, rgb)
