"""List the style channels that are edited: those of the convolutions, in generator order; toRGB styles never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def editable(generator: Generator) -> Tensor:
    """Positions of the convolutions' channels within a style code, int64 [N]."""
    kept = torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in generator.style_layout])
    return kept.nonzero().squeeze(1)


def editable_widths(generator: Generator) -> list[int]:
    """Channels of each convolution's style vector."""
    return [layer.channels for layer in generator.style_layout if not layer.is_rgb]


def without_rgb(generator: Generator, styles: Tensor) -> Tensor:
    """Style codes [B, all] -> the convolutions' styles [B, N]."""
    return styles[:, sent(editable(generator), styles.device)]


def with_rgb(generator: Generator, change: Tensor) -> Tensor:
    """A change [B, N] of the convolutions' styles -> one of style codes [B, all] that leaves toRGB's alone."""
    whole = change.new_zeros(len(change), sum(layer.channels for layer in generator.style_layout))
    whole[:, sent(editable(generator), change.device)] = change
    return whole
