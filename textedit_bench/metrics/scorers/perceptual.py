"""LPIPS of the edit against the photo and against the inversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.column import Column
from textedit_bench.metrics.images import BATCH_SIZE
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class PerceptualScorer:
    """The domain's ``perceptual`` network: (a, b) images in [-1, 1] -> distance [B]."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.protocols: dict[str, Protocol] = {}
        if not domain.has("perceptual"):
            return
        title = "LPIPS" if domain.tier == "full" else f"LPIPS-{domain.tier}"
        for reference, suffix in (("photo", ""), ("inversion", "_inversion")):
            identity = protocol_id(
                "lpips",
                network=f"{domain.tier}-perceptual",
                digest=domain.digest("perceptual"),
                resize="network",
                reference=reference,
            )
            self.protocols[f"lpips{suffix}"] = Protocol(identity, f"{title}, to inversion" if suffix else title, False)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``lpips`` and ``lpips_inversion``."""
        if not self.protocols:
            return {}
        return {
            "lpips": Column.of(self._distance(sample.edit.images, sample.photo.images)),
            "lpips_inversion": Column.of(self._distance(sample.edit.images, sample.inversion.images)),
        }

    def _distance(self, edit: Tensor, source: Tensor) -> Tensor:
        network = self._domain.network("perceptual")
        pairs = zip(edit.split(BATCH_SIZE), source.split(BATCH_SIZE), strict=True)
        return torch.cat([network(a, b).flatten() for a, b in pairs]).double().cpu()
