"""Distances of the edit to the photo and the inversion, whole and outside the edited region: LPIPS, PSNR, SSIM, L1."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.column import EMPTY_MASK, IDENTICAL, NO_REGION, OK, Column, Protocol, protocol_id
from textedit_bench.metrics.images import (
    BATCHES,
    EVERYTHING,
    ImageBatch,
    LRUCache,
    content_rows,
    of_rows,
    pictures_at_once,
)
from textedit_bench.metrics.pixels import l1_over, local_mean, psnr_over, ssim_map_from, ssim_over
from textedit_bench.metrics.sample import Sample
from textedit_bench.models.roles import StagedPerceptual, gives_stages

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


KEPT_STAGES = 2
"""Number of batches whose stages are cached: those of photos and of inversions."""
KEPT_PIXELS = 1 << 18
"""Largest batch, in pixels, whose stages are cached: those of a published backbone take a kilobyte per pixel."""
STAGES_BYTES_PER_PIXEL = 256
"""Bytes per pixel of network input; larger pictures are reduced to 256 pixels per side."""

Seen = Tensor | list[Tensor]
"""Pictures, or their stages."""


class PerceptualScorer:
    """The domain's ``perceptual`` network: (a, b) images in [-1, 1] -> distance [B]; ``keep=`` restricts it."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._stages: LRUCache[list[Tensor]] = LRUCache(KEPT_STAGES)
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
        size = pictures_at_once(sample.edit.shape, STAGES_BYTES_PER_PIXEL)
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


# formula -> (title, whether higher is better, decimals)
_FORMULAS = {"psnr": ("PSNR (dB)", True, 2), "ssim": ("SSIM", True, 3), "l1": ("L1", False, 4)}
_REFERENCES = {"photo": "", "inversion": "_inversion"}
OUTSIDE, INSIDE = "_outside", "_inside"
"""Over the pixels that a perfect edit does not change, and over those it changes. Both relative to the inversion:
relative to the photo, the inversion's error would count as the editor's."""

KEPT = 2
"""Number of chunks whose local means are cached: those of photos and of inversions."""
BYTES_PER_PIXEL = 320
"""Bytes per pixel: a dozen float64 intermediates of three channels."""


class PictureScorer:
    """Pixel formulas without a network. An infinite PSNR is the state ``identical``, not a number.

    Bars around the picture are ignored. The suite crops them for every metric if the photos are real; those of a
    world are cropped here, since its networks use the whole canvas.
    """

    def __init__(self, domain: Domain) -> None:
        self._sources: LRUCache[tuple[Tensor, Tensor]] = LRUCache(KEPT)
        self._to_photo: LRUCache[Tensor] = LRUCache(BATCHES)
        self.protocols: dict[str, Protocol] = {}
        for name, (title, higher, decimals) in _FORMULAS.items():
            for reference, suffix in _REFERENCES.items():
                heading = f"{title}, to inversion" if suffix else title
                self.protocols[name + suffix] = _protocol(name, reference, heading, higher, decimals)
            if domain.world is not None:
                heading = f"{title}, outside the edit"
                self.protocols[name + OUTSIDE] = _protocol(f"{name}-outside", "inversion", heading, higher, decimals)
        if domain.world is not None:
            title, _, decimals = _FORMULAS["l1"]
            inside = _protocol("l1-inside", "inversion", f"{title}, inside the edit", True, decimals)
            self.protocols["l1" + INSIDE] = inside
        self._rows = EVERYTHING if domain.world is None else content_rows(domain)
        self.protocols = {name: of_rows(protocol, self._rows) for name, protocol in self.protocols.items()}

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return ``psnr``, ``ssim``, ``l1``, the same with ``_inversion`` and ``_outside``, and ``l1_inside``."""
        size = pictures_at_once(sample.edit.shape, BYTES_PER_PIXEL)
        batches = (batch.split(size) for batch in (sample.edit, sample.photo, sample.inversion))
        perfect = sample.perfect if "l1" + INSIDE in self.protocols else None
        regions = repeat(None) if perfect is None else perfect.region[:, self._rows].split(size)
        parts = [self._values(*part) for part in zip(*batches, regions, strict=False)]
        values = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        columns = {}
        for reference, suffix in _REFERENCES.items():
            same = [a == b for a, b in zip(sample.edit.keys, getattr(sample, reference).keys, strict=True)]
            for name in _FORMULAS:
                column = Column.of(values[name + suffix])
                columns[name + suffix] = column.where(same, IDENTICAL) if name == "psnr" else column
        for name in [name for name in self.protocols if name not in columns]:
            columns[name] = _over_a_part(values.get(name), len(sample.edit))
        return columns

    def _values(
        self, edit: ImageBatch, photo: ImageBatch, inversion: ImageBatch, region: Tensor | None
    ) -> dict[str, Tensor]:
        """Compute values of a few pictures; ``region`` bool [N, H, W]: where a perfect edit changes them, if needed."""
        shown = self._shown(edit)
        # Relative to the photo no value depends on the prompt, and the wrong-prompt control repeats pictures.
        to_photo = self._to_photo((edit.keys, photo.keys), lambda: _over(*self._maps(shown, photo)))
        values = dict(zip(_FORMULAS, to_photo, strict=True))
        maps = self._maps(shown, inversion)
        values.update(zip((f"{name}_inversion" for name in _FORMULAS), _over(*maps), strict=True))
        if region is not None:
            region = region.to(edit.images.device, non_blocking=True)
            values.update(zip((name + OUTSIDE for name in _FORMULAS), _over(*maps, ~region), strict=True))
            values["l1" + INSIDE] = l1_over(maps[0], region).cpu()
        return values

    def _maps(self, edit: tuple[Tensor, Tensor], reference: ImageBatch) -> tuple[Tensor, Tensor]:
        """Compute differences and SSIM maps of edits, given by `_shown`, and their references."""
        (images, mean), (source, source_mean) = edit, self._sources(reference.keys, partial(self._shown, reference))
        return images.double() - source.double(), ssim_map_from(images, mean, source, source_mean)

    def _shown(self, batch: ImageBatch) -> tuple[Tensor, Tensor]:
        """Return pictures in [0, 1] and their mean under SSIM's window."""
        images = (batch.images[:, :, self._rows] + 1.0) / 2.0
        return images, local_mean(images)


def _over(difference: Tensor, likeness: Tensor, keep: Tensor | None = None) -> Tensor:
    """Compute the formulas [3, N], in the order of `_FORMULAS`, from differences and SSIM maps; synchronises once."""
    return torch.stack([psnr_over(difference, keep), ssim_over(likeness, keep), l1_over(difference, keep)]).cpu()


def _over_a_part(values: Tensor | None, n: int) -> Column:
    """Return the column of a formula over a part of n pictures, which may be empty or unknown."""
    if values is None:
        return Column.without_value(n, NO_REGION)
    states = [EMPTY_MASK if v != v else IDENTICAL if v == float("inf") else OK for v in values.tolist()]
    return Column.of(values, states)


def _protocol(formula: str, reference: str, title: str, higher: bool, decimals: int) -> Protocol:
    version = 2 if formula.startswith("ssim") else 1  # 2: the border is left out
    identity = protocol_id(
        formula, network="none", digest="", resize="native", reference=reference, dtype="float64", version=version
    )
    return Protocol(identity, title, higher, decimals=decimals)
