"""LPIPS of the edit to the photo and to the inversion, and outside the edited region."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.chunks import pictures_at_once
from textedit_bench.metrics.column import EMPTY_MASK, NO_REGION, OK, Column
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.lru_cache import LRUCache
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample
from textedit_bench.models.roles import StagedPerceptual, gives_stages

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

KEPT = 2
"""Number of batches whose stages are cached: those of photos and of inversions."""
KEPT_PIXELS = 1 << 18
"""Largest batch, in pixels, whose stages are cached: those of a published backbone take a kilobyte per pixel."""
BYTES_PER_PIXEL = 256
"""Bytes per pixel of network input; larger pictures are reduced to 256 pixels per side."""

Seen = Tensor | list[Tensor]
"""Pictures, or their stages."""


class PerceptualScorer:
    """The domain's ``perceptual`` network: (a, b) images in [-1, 1] -> distance [B]; ``keep=`` restricts it."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._stages: LRUCache[list[Tensor]] = LRUCache(KEPT)
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
        """Return the columns ``lpips``, ``lpips_inversion`` and ``lpips_outside`` (to the inversion)."""
        if not self.protocols:
            return {}
        keep = None
        if "lpips_outside" in self.protocols and sample.perfect is not None:
            keep = ~sample.perfect.region.to(sample.edit.images.device, non_blocking=True)
        found: dict[str, list[Tensor]] = {}
        size = pictures_at_once(sample.edit.shape, BYTES_PER_PIXEL)
        batches = (batch.split(size) for batch in (sample.edit, sample.photo, sample.inversion))
        for position, (edit, photo, inversion) in enumerate(zip(*batches, strict=True)):
            part = slice(position * size, (position + 1) * size)
            distances = self._distances(edit, photo, inversion, None if keep is None else keep[part])
            for name, distance in distances.items():
                found.setdefault(name, []).append(distance.flatten())
        columns = {}
        for name, parts in found.items():
            values = torch.cat(parts).double().cpu()
            empty = [EMPTY_MASK if name == "lpips_outside" and v != v else OK for v in values.tolist()]
            columns[name] = Column.of(values, empty)
        if "lpips_outside" in self.protocols and keep is None:
            columns["lpips_outside"] = Column.without_value(len(sample.edit), NO_REGION)
        return columns

    def _distances(
        self, edit: ImageBatch, photo: ImageBatch, inversion: ImageBatch, keep: Tensor | None
    ) -> dict[str, Tensor]:
        """Compute the distances of one batch.

        A network that returns its feature stages processes every picture once, and small references once for all edits.
        """
        network = self._domain.network("perceptual")
        if gives_stages(network):
            photos, inversions = self._seen(network, photo), self._seen(network, inversion)
            return _compared(network.compare, network.stages(edit.images), photos, inversions, keep)
        return _compared(network, edit.images, photo.images, inversion.images, keep)

    def _seen(self, network: StagedPerceptual, batch: ImageBatch) -> list[Tensor]:
        """Return the feature stages of photos or inversions, cached, since they recur with every batch of edits."""
        if batch.images[:, 0].numel() > KEPT_PIXELS:
            return network.stages(batch.images)
        return self._stages(batch.keys, lambda: network.stages(batch.images))


def _compared(
    compare: Callable[..., Tensor], edits: Seen, photos: Seen, inversions: Seen, keep: Tensor | None
) -> dict[str, Tensor]:
    found = {"lpips": compare(edits, photos), "lpips_inversion": compare(edits, inversions)}
    if keep is not None:
        found["lpips_outside"] = compare(edits, inversions, keep)
    return found
