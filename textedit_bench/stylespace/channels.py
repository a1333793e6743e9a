"""Which style channels are edited: those of the convolutions, in generator order; toRGB styles never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def editable(generator: Generator) -> Tensor:
    """Positions of the convolutions' channels within a style code, int64 [N]."""
    kept = torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in generator.style_layout])
    return kept.nonzero().squeeze(1)
