"""PSNR, SSIM and L1 of the edit against the photo and against the inversion: whole, and outside the edited region."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.metrics.column import EMPTY_MASK, IDENTICAL, NO_REGION, OK, Column
from textedit_bench.metrics.pixels import l1, psnr, ssim
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_FORMULAS: dict[str, tuple[Callable[..., Tensor], str, bool, int]] = {
    "psnr": (psnr, "PSNR (dB)", True, 2),
    "ssim": (ssim, "SSIM", True, 3),
    "l1": (l1, "L1", False, 4),
}
_REFERENCES = {"photo": "", "inversion": "_inversion"}
OUTSIDE, INSIDE = "_outside", "_inside"
"""Over the pixels that a perfect edit leaves alone, and over those it changes. Both against the inversion: against the
photo, the inversion's own error would be counted as the editor's."""


class PictureScorer:
    """Pixel formulas; they need no network. An infinite PSNR is the state ``identical``, not a number."""

    def __init__(self, domain: Domain) -> None:
        self._device = domain.device
        self.protocols: dict[str, Protocol] = {}
        for name, (_, title, higher, decimals) in _FORMULAS.items():
            for reference, suffix in _REFERENCES.items():
                heading = f"{title}, to inversion" if suffix else title
                self.protocols[name + suffix] = _protocol(name, reference, heading, higher, decimals)
            if domain.world is not None:
                heading = f"{title}, outside the edit"
                self.protocols[name + OUTSIDE] = _protocol(f"{name}-outside", "inversion", heading, higher, decimals)
        if domain.world is not None:
            title, _, decimals = _FORMULAS["l1"][1:]
            inside = _protocol("l1-inside", "inversion", f"{title}, inside the edit", True, decimals)
            self.protocols["l1" + INSIDE] = inside

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``psnr``, ``ssim``, ``l1``, the same with ``_inversion`` and ``_outside``, and ``l1_inside``."""
        columns = {}
        edit = (sample.edit.images + 1.0) / 2.0
        for reference, suffix in ((sample.photo, ""), (sample.inversion, "_inversion")):
            source = (reference.images + 1.0) / 2.0
            same = [a == b for a, b in zip(sample.edit.keys, reference.keys, strict=True)]
            for name, (formula, *_) in _FORMULAS.items():
                column = Column.of(formula(edit, source).cpu())
                columns[name + suffix] = column.where(same, IDENTICAL) if name == "psnr" else column
        if "l1" + INSIDE in self.protocols:
            columns.update(self._masked(sample, edit))
        return columns

    def _masked(self, sample: Sample, edit: Tensor) -> dict[str, Column]:
        names = [*(name + OUTSIDE for name in _FORMULAS), "l1" + INSIDE]
        if sample.perfect is None:
            return {name: Column.without_value(len(sample.edit), NO_REGION) for name in names}
        region = sample.perfect.region.to(edit.device)
        source = (sample.inversion.images + 1.0) / 2.0
        columns = {}
        for name in names:
            formula = _FORMULAS[name.split("_")[0]][0]
            values = formula(edit, source, region if name.endswith(INSIDE) else ~region).cpu()
            states = [EMPTY_MASK if v != v else IDENTICAL if v == float("inf") else OK for v in values.tolist()]
            columns[name] = Column.of(values, states)
        return columns


def _protocol(formula: str, reference: str, title: str, higher: bool, decimals: int) -> Protocol:
    identity = protocol_id(formula, network="none", digest="", resize="native", reference=reference, dtype="float64")
    return Protocol(identity, title, higher, decimals=decimals)
