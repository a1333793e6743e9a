"""Render the perfect edit of rendered photos: its values, its pixels, and what remains visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.metrics.lru_cache import LRUCache
from textedit_bench.metrics.renders import content_of

if TYPE_CHECKING:
    from textedit_bench.metrics.renders import Renders
    from textedit_bench.worlds.factors import Factors

CHANGE = 2.0 / 255.0
"""A pixel belongs to the edited region if the perfect edit changes it by more than this, in [0, 1]."""
GROW = 2
"""Pixels by which the region is dilated: edges in inversions are displaced by one or two pixels."""
KEPT = 128
"""Number of cached ground truths: those of every prompt on its photos; a census has up to a hundred."""


@dataclass(frozen=True)
class PerfectEdit:
    """The ground truth of one prompt on N rendered photos.

    Attributes:
        asked: attribute position -> wanted value index.
        actual: the values drawn, int64 [N, A].
        visible: bool [N, A], whether the photo shows the attribute.
        through: bool [N, A], whether the photo and the perfect edit show it (a requested hat hides the hair).
        region: bool [N, H, W], the pixels that the asked attributes occupy before or after the edit, dilated.
        images: the perfect edit, float32 [N, 3, H, W] in [-1, 1].
    """

    asked: Mapping[int, int]
    actual: Tensor
    visible: Tensor
    through: Tensor
    region: Tensor
    images: Tensor

    @classmethod
    def of(cls, renders: Renders, factors: Factors, asked: Mapping[str, str]) -> PerfectEdit:
        """Render the photos and their perfect edits.

        Raises:
            UserError: the world has no such attribute or value.
        """
        world = renders.world
        before, after = renders(factors), renders(world.with_values(factors, asked))
        region = (before.images - after.images).abs().amax(1) > 2.0 * CHANGE
        for name in asked:
            for render in (before, after):
                if name in render.masks:
                    region = region | render.masks[name]
        grown = F.max_pool2d(region[:, None].float(), 2 * GROW + 1, stride=1, padding=GROW)[:, 0] > 0
        visible = before.visible.cpu()
        return cls(
            world.value_indices(asked),
            factors.attributes.cpu(),
            visible,
            visible & after.visible.cpu(),
            grown,
            after.images,
        )


class GroundTruth:
    """Caches the perfect edits of a world, which are the same for every strength and method."""

    def __init__(self, renders: Renders | None) -> None:
        self._renders = renders
        self._recent: LRUCache[PerfectEdit] = LRUCache(KEPT)

    def __call__(self, factors: Factors | None, asked: Mapping[str, str]) -> PerfectEdit | None:
        """Return the perfect edit; None if the truth is unknown or the prompt has no attribute of the world."""
        renders = self._renders
        if renders is None or factors is None or not asked:
            return None
        with torch.no_grad():
            key = (content_of(factors), tuple(sorted(asked.items())))
            return self._recent(key, lambda: PerfectEdit.of(renders, factors, asked))
