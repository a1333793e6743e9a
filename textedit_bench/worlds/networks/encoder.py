"""A small e4e: one W code for all rows plus an offset per row, read from a feature pyramid.

Source of the form: Tov et al. 2021, arXiv 2102.02766: coarse rows from the deepest features, fine rows from the
shallowest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from textedit_bench.models.storage import StoredNetwork

GRID = 4
"""Every pyramid level is pooled to this many cells a side before its head."""
COARSE_ROWS, MIDDLE_ROWS = 3, 4
"""e4e's split of the rows: the first three are coarse, the next four middle, the rest fine."""


WIDTHS = (24, 48, 80, 112)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the picture's side, for a world of full detail."""


def _stage(inside: int, outside: int, blocks: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(blocks):
        layers += [
            nn.Conv2d(inside if i == 0 else outside, outside, 3, stride=2 if i == 0 else 1, padding=1, bias=False),
            nn.BatchNorm2d(outside),
            nn.LeakyReLU(0.1),
        ]
    return nn.Sequential(*layers)


class MiniEncoder(StoredNetwork):
    """Photos of one world -> W+.

    Args:
        rows: W+ rows of the generator.
        w_dim: width of W.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the picture's side.
        neck: channels of a level before its head.
    """

    def __init__(self, rows: int, w_dim: int, widths: Sequence[int] = WIDTHS, neck: int = 16) -> None:
        super().__init__()
        self.rows, self.w_dim, self.widths, self.neck = rows, w_dim, tuple(widths), neck
        self.stem = _stage(3, widths[0], 1)
        self.stages = nn.ModuleList([_stage(a, b, 2) for a, b in pairwise(widths)])
        self.necks = nn.ModuleList([nn.Conv2d(width, neck, 1) for width in widths[1:]])
        cells = neck * GRID * GRID
        self.base = nn.Linear(cells, w_dim)
        fine = rows - COARSE_ROWS - MIDDLE_ROWS
        # Row 0 is the base; every other row adds an offset that starts at zero.
        heads = [nn.Linear(cells, w_dim * n) for n in (fine, MIDDLE_ROWS, COARSE_ROWS - 1)]
        for head in heads:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.offsets = nn.ModuleList(heads)

    def forward(self, images: Tensor, with_offsets: bool = True) -> Tensor:
        """Images [B, 3, H, W] in [-1, 1] -> W+ [B, rows, w_dim]; the base head's bias is the latent average."""
        x = self.stem(images)
        levels = []
        for stage, neck in zip(self.stages, self.necks, strict=True):
            x = stage(x)
            levels.append(functional.adaptive_avg_pool2d(neck(x), GRID).flatten(1))
        base = self.base(levels[-1])[:, None].expand(-1, self.rows, -1)
        if not with_offsets:
            return base
        fine, middle, coarse = (
            head(level).unflatten(1, (-1, self.w_dim)) for head, level in zip(self.offsets, levels, strict=True)
        )
        return base + torch.cat([torch.zeros_like(base[:, :1]), coarse, middle, fine], 1)

    def encode(self, images: Tensor) -> Tensor:
        """Photos [B, 3, H, W] in [-1, 1] -> W+ [B, rows, w_dim]."""
        codes: Tensor = self(images)
        return codes
