"""Oracles: networks that read the attributes off a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.models.storage import StoredNetwork
from textedit_bench.worlds.networks.trunk import Backbone, Style

ABSTAIN_BELOW = 0.5
"""An oracle whose largest probability is smaller says nothing (-1)."""

CONFIGS: dict[str, dict[str, Any]] = {
    "oracle": {"style": "residual", "channels": [24, 48, 64, 64]},
    "second_oracle": {"style": "plain", "channels": [24, 40, 56, 72]},
}


class Oracle(StoredNetwork):
    """One classifier per attribute over shared features.

    Args:
        style, channels: of the trunk.
        attributes: (name, number of values) of each attribute, in the world's order.
        side: of the pictures, in pixels.
    """

    def __init__(
        self, style: Style, channels: Sequence[int], attributes: Sequence[tuple[str, int]], side: int = 64
    ) -> None:
        super().__init__()
        self.attributes = tuple(name for name, _ in attributes)
        self.sizes = tuple(int(size) for _, size in attributes)
        self.style, self.channels, self.side = style, list(channels), side
        self.trunk = Backbone(style, channels)
        cells = (side // 2 ** len(channels)) ** 2
        self.heads = nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(channels[-1] * cells, sum(self.sizes)))

    @property
    def config(self) -> dict[str, Any]:
        """As every stored network's."""
        return {**super().config, "attributes": [list(pair) for pair in zip(self.attributes, self.sizes, strict=True)]}

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits [B, values] of each attribute, for pictures [B, 3, side, side] in [-1, 1]."""
        return list(self.heads(self.trunk(images)[-1]).split(self.sizes, dim=1))

    @torch.no_grad()
    def predict(self, images: Tensor) -> Tensor:
        """Value index per attribute, int64 [B, A]; -1 where the largest probability is below one half."""
        columns = []
        for logits in self(images):
            probability, value = logits.softmax(1).max(1)
            columns.append(torch.where(probability >= ABSTAIN_BELOW, value, torch.full_like(value, -1)))
        return torch.stack(columns, 1)
