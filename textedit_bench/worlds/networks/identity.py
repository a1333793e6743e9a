"""Identity of the worlds' subjects: unit embeddings trained with an additive angular margin (ArcFace)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.storage import StoredNetwork
from textedit_bench.worlds.networks.trunk import Backbone, Style

EMBED_DIM = 128

CONFIGS: dict[str, dict[str, Any]] = {
    "identity": {"style": "residual", "channels": [24, 40, 56, 64]},
    "judge_identity": {"style": "plain", "channels": [20, 36, 52, 64]},
}


class IdentityNetwork(StoredNetwork):
    """Pictures -> unit vectors that are close for one subject, whatever its attributes.

    Args:
        style, channels: of the trunk.
        crop: top, left and side of the square that is looked at, as shares of the picture.
        side: pixels of the crop as the network sees it.
    """

    threshold_value: Tensor

    def __init__(
        self,
        style: Style,
        channels: Sequence[int],
        crop: tuple[float, float, float] = (12 / 64, 8 / 64, 48 / 64),
        side: int = 48,
    ) -> None:
        super().__init__()
        self.style, self.channels, self.crop, self.side = style, list(channels), tuple(crop), side
        self.trunk = Backbone(style, channels)
        cells = (-(-side // 2 ** len(channels))) ** 2
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(channels[-1] * cells, EMBED_DIM, bias=False), nn.BatchNorm1d(EMBED_DIM)
        )
        self.register_buffer("threshold_value", torch.tensor(0.0))

    @property
    def threshold(self) -> float:
        """The cosine above which 1 % of pairs of different subjects lie."""
        return float(self.threshold_value)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings before normalisation, [B, 128]."""
        side = images.shape[-1]
        top, left, extent = (round(share * side) for share in self.crop)
        x = images[..., top : top + extent, left : left + extent]
        if extent != self.side:
            x = F.interpolate(x, size=self.side, mode="bilinear", antialias=True, align_corners=False)
        out: Tensor = self.head(self.trunk(x)[-1])
        return out

    def embed(self, images: Tensor) -> Tensor:
        """Unit vectors [B, 128] of pictures [B, 3, H, W] in [-1, 1]; differentiable."""
        return F.normalize(self(images), dim=1)


def verification(embeddings: Tensor, subjects: Tensor, false_accepts: float = 0.01) -> tuple[float, float]:
    """Threshold at a false-accept rate, and the true-accept rate there.

    Args:
        embeddings: unit vectors [N, d].
        subjects: who each picture shows, int64 [N].
        false_accepts: share of pairs of different subjects above the threshold.

    Returns:
        The threshold (a cosine) and the share of pairs of one subject at or above it.
    """
    cosines = embeddings @ embeddings.T
    rows, columns = torch.triu_indices(len(subjects), len(subjects), 1)
    same = subjects[rows] == subjects[columns]
    cosines = cosines[rows, columns]
    impostors = cosines[~same].sort().values
    # torch.quantile refuses more than 16 million numbers; the order statistic does not.
    threshold = float(impostors[min(len(impostors) - 1, int((1.0 - false_accepts) * len(impostors)))])
    return threshold, float((cosines[same] >= threshold).float().mean())
