"""LPIPS of the edit against the photo and against the inversion, and outside the edited region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.column import EMPTY_MASK, NO_REGION, OK, Column
from textedit_bench.metrics.images import BATCH_SIZE
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class PerceptualScorer:
    """The domain's ``perceptual`` network: (a, b) images in [-1, 1] -> distance [B]; ``keep=`` restricts it."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.protocols: dict[str, Protocol] = {}
        if not domain.has("perceptual"):
            return
        title = "LPIPS" if domain.tier == "full" else f"LPIPS-{domain.tier}"
        self.protocols["lpips"] = self._protocol("lpips", "photo", title)
        self.protocols["lpips_inversion"] = self._protocol("lpips", "inversion", f"{title}, to inversion")
        if domain.world is not None:
            outside = self._protocol("lpips-outside", "inversion", f"{title}, outside the edit")
            self.protocols["lpips_outside"] = outside

    def _protocol(self, formula: str, reference: str, title: str) -> Protocol:
        network, digest = f"{self._domain.tier}-perceptual", self._domain.digest("perceptual")
        identity = protocol_id(formula, network=network, digest=digest, resize="network", reference=reference)
        return Protocol(identity, title, False)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``lpips``, ``lpips_inversion`` and ``lpips_outside`` (against the inversion)."""
        if not self.protocols:
            return {}
        columns = {
            "lpips": Column.of(self._distance(sample.edit.images, sample.photo.images)),
            "lpips_inversion": Column.of(self._distance(sample.edit.images, sample.inversion.images)),
        }
        if "lpips_outside" in self.protocols:
            columns["lpips_outside"] = self._outside(sample)
        return columns

    def _outside(self, sample: Sample) -> Column:
        if sample.perfect is None:
            return Column.without_value(len(sample.edit), NO_REGION)
        keep = ~sample.perfect.region.to(sample.edit.images.device)
        values = self._distance(sample.edit.images, sample.inversion.images, keep)
        return Column.of(values, [EMPTY_MASK if v != v else OK for v in values.tolist()])

    def _distance(self, edit: Tensor, source: Tensor, keep: Tensor | None = None) -> Tensor:
        network = self._domain.network("perceptual")
        parts = []
        for start in range(0, len(edit), BATCH_SIZE):
            batch = slice(start, start + BATCH_SIZE)
            if keep is None:
                distance = network(edit[batch], source[batch])
            else:
                distance = network(edit[batch], source[batch], keep[batch])
            parts.append(distance.flatten())
        return torch.cat(parts).double().cpu()
