"""Measure how much an edit changed the geometry of an identity: face width, eye spacing, nose length, ...

The renderer knows these factors for its photos; for an edit they are predicted by a linear map from the evaluation
network's identity embedding, fitted to photos of the training split. Only factors are used of which the map explains at
least half of the variance on held-out photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.chunks import pictures_at_once
from textedit_bench.metrics.images import BYTES_PER_PIXEL

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import IdentityRole

PHOTOS = 768
"""Photos of the training split: three quarters fit the map, a quarter selects the factors."""
RIDGE = 1.0
READ = 0.5
"""Minimum share of a factor's variance that the map must explain on held-out photos."""


@dataclass(frozen=True)
class GeometryReadout:
    """Linear map from embeddings to identity factors.

    Attributes:
        weight: float64 [d, F], for standardised embeddings; F factors that are predicted well enough.
        centre: mean embedding [d].
        scale: standard deviation per feature [d].
        spread: standard deviation of each kept factor among the photos [F].
        explained: held-out share of variance of every factor, kept or not [all factors].
    """

    weight: Tensor
    centre: Tensor
    scale: Tensor
    spread: Tensor
    explained: Tensor

    @classmethod
    def fit(cls, embeddings: Tensor, factors: Tensor) -> GeometryReadout:
        """Fit a ridge regression of factors [n, I] on embeddings [n, d]; the last quarter of the rows is held out."""
        x, y = embeddings.double(), factors.double()
        held = len(x) * 3 // 4
        centre, scale = x[:held].mean(0), x[:held].std(0).clamp(min=1e-9)
        rows = (x - centre) / scale
        offset = y[:held].mean(0)
        gram = rows[:held].T @ rows[:held] + RIDGE * torch.eye(x.shape[1], dtype=torch.float64)
        weight = torch.linalg.solve(gram, rows[:held].T @ (y[:held] - offset))
        left = (rows[held:] @ weight + offset - y[held:]).square().sum(0)
        total = (y[held:] - y[held:].mean(0)).square().sum(0)
        explained = 1.0 - left / total.clamp(min=1e-12)
        kept = explained >= READ
        return cls(weight[:, kept], centre, scale, y.std(0)[kept].clamp(min=1e-9), explained)

    def drift(self, edit: Tensor, source: Tensor) -> Tensor:
        """Compute the RMS step of the factors between embeddings [N, d], in standard deviations of each factor."""
        step = (edit.double() - source.double()) / self.scale @ self.weight / self.spread
        return step.square().mean(1).sqrt()


def fit_readout(domain: Domain, role: IdentityRole) -> GeometryReadout | None:
    """Fit the map for a domain's identity network; None if the factors of its photos are unknown."""
    total = domain.tier_card.splits.get("train", 0)
    if domain.world is None or total < 8:
        return None
    photos = domain.photos("train", min(PHOTOS, total))
    if photos.factors is None:
        return None
    embed = domain.network(role).embed
    size = pictures_at_once(photos.images.shape, BYTES_PER_PIXEL)
    rows = torch.cat([embed(part).cpu() for part in photos.images.split(size)])
    return GeometryReadout.fit(rows, photos.factors.identity)
