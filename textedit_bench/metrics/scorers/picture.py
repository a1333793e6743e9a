"""PSNR, SSIM and L1 of the edit against the photo and against the inversion: whole, and outside the edited region."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.metrics.column import EMPTY_MASK, IDENTICAL, NO_REGION, OK, Column
from textedit_bench.metrics.content import EVERYTHING, content_rows, of_rows
from textedit_bench.metrics.images import BATCHES, ImageBatch
from textedit_bench.metrics.pixels import l1_over, local_mean, psnr_over, ssim_map_from, ssim_over
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.recent import Recent
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

# formula -> (title, whether higher is better, decimals)
_FORMULAS = {"psnr": ("PSNR (dB)", True, 2), "ssim": ("SSIM", True, 3), "l1": ("L1", False, 4)}
_REFERENCES = {"photo": "", "inversion": "_inversion"}
OUTSIDE, INSIDE = "_outside", "_inside"
"""Over the pixels that a perfect edit leaves alone, and over those it changes. Both against the inversion: against the
photo, the inversion's own error would be counted as the editor's."""

KEPT = 2
"""Batches whose local means are remembered, the photos' and the inversions'."""


class PictureScorer:
    """Pixel formulas; they need no network. An infinite PSNR is the state ``identical``, not a number.

    Bars beside the picture do not count. The suite cuts them off for every metric where the photos are real; those of a
    world are cut off here, since its networks see the whole canvas.
    """

    def __init__(self, domain: Domain) -> None:
        self._sources: Recent[tuple[Tensor, Tensor]] = Recent(KEPT)
        self._to_photo: Recent[dict[str, Column]] = Recent(BATCHES)
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
        """Columns ``psnr``, ``ssim``, ``l1``, the same with ``_inversion`` and ``_outside``, and ``l1_inside``."""
        edit = self._shown(sample.edit)
        # Against the photo nothing depends on the prompt, and the wrong-prompt control shows pictures again.
        columns = dict(
            self._to_photo(
                (sample.edit.keys, sample.photo.keys),
                lambda: _whole(sample.edit, sample.photo, "", *self._maps(edit, sample.photo)),
            )
        )
        difference, likeness = self._maps(edit, sample.inversion)
        columns.update(_whole(sample.edit, sample.inversion, "_inversion", difference, likeness))
        if "l1" + INSIDE in self.protocols:
            columns.update(_masked(sample, self._rows, difference, likeness))
        return columns

    def _maps(self, edit: tuple[Tensor, Tensor], reference: ImageBatch) -> tuple[Tensor, Tensor]:
        """Difference and SSIM map of edits, as `_shown` gives them, and what they are compared with."""
        (images, mean), (source, source_mean) = edit, self._sources(reference.keys, partial(self._shown, reference))
        return images.double() - source.double(), ssim_map_from(images, mean, source, source_mean)

    def _shown(self, batch: ImageBatch) -> tuple[Tensor, Tensor]:
        """Pictures in [0, 1] and their mean under SSIM's window."""
        images = (batch.images[:, :, self._rows] + 1.0) / 2.0
        return images, local_mean(images)


def _whole(
    edit: ImageBatch, reference: ImageBatch, suffix: str, difference: Tensor, likeness: Tensor
) -> dict[str, Column]:
    """Columns over all pixels."""
    same = [a == b for a, b in zip(edit.keys, reference.keys, strict=True)]
    return {
        "psnr" + suffix: Column.of(psnr_over(difference).cpu()).where(same, IDENTICAL),
        "ssim" + suffix: Column.of(ssim_over(likeness).cpu()),
        "l1" + suffix: Column.of(l1_over(difference).cpu()),
    }


def _masked(sample: Sample, rows: slice, difference: Tensor, likeness: Tensor) -> dict[str, Column]:
    """Columns over parts of the pictures, from their difference and their SSIM map."""
    if sample.perfect is None:
        names = [*(name + OUTSIDE for name in _FORMULAS), "l1" + INSIDE]
        return {name: Column.without_value(len(sample.edit), NO_REGION) for name in names}
    region = sample.perfect.region[:, rows].to(difference.device)
    found = {
        "psnr" + OUTSIDE: psnr_over(difference, ~region),
        "ssim" + OUTSIDE: ssim_over(likeness, ~region),
        "l1" + OUTSIDE: l1_over(difference, ~region),
        "l1" + INSIDE: l1_over(difference, region),
    }
    columns = {}
    for name, values in found.items():
        states = [EMPTY_MASK if v != v else IDENTICAL if v == float("inf") else OK for v in values.tolist()]
        columns[name] = Column.of(values.cpu(), states)
    return columns


def _protocol(formula: str, reference: str, title: str, higher: bool, decimals: int) -> Protocol:
    identity = protocol_id(formula, network="none", digest="", resize="native", reference=reference, dtype="float64")
    return Protocol(identity, title, higher, decimals=decimals)
