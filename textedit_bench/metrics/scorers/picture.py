"""PSNR, SSIM and L1 of the edit against the photo and against the inversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.metrics.column import IDENTICAL, Column
from textedit_bench.metrics.pixels import l1, psnr, ssim
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_FORMULAS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str, bool, int]] = {
    "psnr": (psnr, "PSNR (dB)", True, 2),
    "ssim": (ssim, "SSIM", True, 3),
    "l1": (l1, "L1", False, 4),
}


class PictureScorer:
    """Pixel formulas; they need no network. An infinite PSNR is the state ``identical``, not a number."""

    def __init__(self, domain: Domain) -> None:
        self._device = domain.device
        self.protocols: dict[str, Protocol] = {}
        for name, (_, title, higher, decimals) in _FORMULAS.items():
            for reference, suffix in (("photo", ""), ("inversion", "_inversion")):
                identity = protocol_id(
                    name, network="none", digest="", resize="native", reference=reference, dtype="float64"
                )
                heading = f"{title}, to inversion" if suffix else title
                self.protocols[name + suffix] = Protocol(identity, heading, higher, decimals=decimals)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``psnr``, ``ssim``, ``l1`` and the same with ``_inversion``."""
        columns = {}
        edit = (sample.edit.images + 1.0) / 2.0
        for reference, suffix in ((sample.photo, ""), (sample.inversion, "_inversion")):
            source = (reference.images + 1.0) / 2.0
            same = [a == b for a, b in zip(sample.edit.keys, reference.keys, strict=True)]
            for name, (formula, *_) in _FORMULAS.items():
                column = Column.of(formula(edit, source).cpu())
                columns[name + suffix] = column.where(same, IDENTICAL) if name == "psnr" else column
        return columns
