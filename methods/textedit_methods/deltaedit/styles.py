"""Style codes as DeltaEdit sees them: the convolutions' styles, in order, without those of toRGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.stylespace.channels import editable

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def edited_widths(generator: Generator) -> list[int]:
    """Widths of the convolutions' style vectors."""
    return [entry.channels for entry in generator.style_layout if not entry.is_rgb]


def without_rgb(generator: Generator, styles: Tensor) -> Tensor:
    """Whole style codes [B, all] -> convolutions' styles [B, num_styles]."""
    return styles[:, sent(editable(generator), styles.device)]


def with_offset(generator: Generator, styles: Tensor, offset: Tensor) -> Tensor:
    """Whole style codes [B, all] with ``offset`` [B, num_styles] added to the convolutions' part; toRGB untouched."""
    positions = sent(editable(generator), styles.device)
    return styles.index_add(1, positions, offset.to(styles))
