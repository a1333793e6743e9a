"""Provide controls with data about a cell's images that only the runner has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.infer import step_lengths
from textedit_bench.bench.inputs import INVERSION, PHOTO, InputShard
from textedit_bench.bench.kept import CellPictures, PicturesGoneError
from textedit_bench.bench.manifest import read_manifest
from textedit_bench.bench.pictures import to_images
from textedit_bench.bench.store import Store
from textedit_bench.controls.cards import copied, shown
from textedit_bench.editor import Space
from textedit_bench.errors import NotApplicableError

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.truth import GroundTruth


@dataclass(frozen=True)
class CellMaterial:
    """The data from which controls are made; a method raises `NotApplicableError` if it does not exist.

    Attributes:
        cell: the control's cell.
        shard: the images, the same inputs as for the copied cell, with their ground truth.
        store: the store of the copied cell.
        domain: for the layout of codes, pictures that have to be synthesised again, and the world's renderer.
        perfect: the ground truth of the metrics, which has pictures with the requested attribute.
    """

    cell: Cell
    shard: InputShard
    store: Store
    domain: Domain
    perfect: GroundTruth

    @property
    def copies(self) -> bool:
        """Whether the cell copies something from another one."""
        return self.cell.matched_to is not None

    @property
    def _copied(self) -> Cell:
        assert self.cell.matched_to is not None
        return self.cell.matched_to

    def step_lengths(self) -> tuple[Space, dict[str, list[float]]]:
        """Like `textedit_bench.bench.infer.step_lengths`, for the copied cell."""
        try:
            return step_lengths(self.store.cell(self._copied), self._copied, self.shard, self.domain)
        except FileNotFoundError as error:
            raise NotApplicableError(f"there are no edited codes of {self._copied.method} to match") from error

    def edits(self) -> dict[float, dict[str, Tensor]]:
        """Return strength -> image id -> picture [3, H, W] in [-1, 1] of the copied cell."""
        source, strengths = self.store.cell(self._copied).path, self.cell.strengths
        manifest = read_manifest(source)
        assert manifest is not None
        try:
            stored = CellPictures(source, manifest, lambda: self.domain).read(self.shard.ids, strengths)
        except PicturesGoneError as error:
            raise NotApplicableError(str(error)) from error
        shown = {s: to_images(pixels, self.domain.device) for s, pixels in zip(strengths, stored, strict=True)}
        return {s: dict(zip(self.shard.ids, images, strict=True)) for s, images in shown.items()}

    @torch.no_grad()
    def truth(self) -> dict[str, Tensor]:
        """Return image id -> picture [3, H, W] in [-1, 1] that has the requested attribute."""
        cell, world, asked = self.cell, self.domain.world, self.cell.prompt.asked
        if world is None or self.shard.factors is None:
            raise NotApplicableError(f"there is no renderer for photos of {cell.dataset} with another attribute")
        if not asked:
            raise NotApplicableError(f"prompt {cell.prompt_id} names no attribute of the {world.name} world")
        truth = self.perfect(self.shard.factors, asked)
        assert truth is not None
        return dict(zip(self.shard.ids, truth.images.to(self.domain.device), strict=True))


def lies_elsewhere(cell: Cell) -> dict[str, str] | None:
    """Return where the pictures of a control are already stored, as in `Kept.copied`; None if it stores its own."""
    if cell.matched_to is not None and copied(cell.method) == "edit":
        return {"method": cell.matched_to.method, "cell": cell.matched_to.digest}
    group = shown(cell.method)
    return {"inputs": group} if group in (PHOTO, INVERSION) else None
