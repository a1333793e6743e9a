"""Renders of a world, remembered: several prompts and several metrics ask for the same pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textedit_bench.metrics.lru_cache import LRUCache

if TYPE_CHECKING:
    from textedit_bench.worlds.factors import Factors
    from textedit_bench.worlds.world import Render, World

LIMIT = 16
"""Batches of renders kept: the photos and every value of the attribute in question."""


def content_of(factors: Factors) -> bytes:
    """What a render depends on, as a key."""
    parts = (factors.attributes, factors.identity, factors.nuisance)
    return b"|".join(part.cpu().contiguous().numpy().tobytes() for part in parts)


class Renders:
    """A world's renderer with a memory; what it gives must not be written to.

    Attributes:
        world: the renderer.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._recent: LRUCache[Render] = LRUCache(LIMIT)

    def __call__(self, factors: Factors) -> Render:
        """Draw a batch, or give what was drawn for it before."""
        return self._recent(content_of(factors), lambda: self.world.render(factors))
