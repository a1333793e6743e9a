"""List the editable style channels: those of the convolutions, in generator order, without toRGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def editable(generator: Generator) -> Tensor:
    """Return positions of the convolutions' channels in a style code, int64 [N]."""
    kept = torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in generator.style_layout])
    return kept.nonzero().squeeze(1)


def editable_widths(generator: Generator) -> list[int]:
    """Return the number of channels of each convolution's style vector."""
    return [layer.channels for layer in generator.style_layout if not layer.is_rgb]


def without_rgb(generator: Generator, styles: Tensor) -> Tensor:
    """Select the convolutions' styles [B, N] of style codes [B, all]."""
    return styles[:, sent(editable(generator), styles.device)]


def with_rgb(generator: Generator, change: Tensor) -> Tensor:
    """Expand a change [B, N] of the convolutions' styles to style codes [B, all], with zeros for toRGB."""
    whole = change.new_zeros(len(change), sum(layer.channels for layer in generator.style_layout))
    whole[:, sent(editable(generator), change.device)] = change
    return whole
