"""Cache renders of a world, since several prompts and metrics use the same pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textedit_bench.metrics.lru_cache import LRUCache

if TYPE_CHECKING:
    from textedit_bench.worlds.factors import Factors
    from textedit_bench.worlds.world import Render, World

LIMIT = 16
"""Number of cached batches: the photos and every value of the attribute being read."""


def content_of(factors: Factors) -> bytes:
    """Return a key of everything that a render depends on."""
    parts = (factors.attributes, factors.identity, factors.nuisance)
    return b"|".join(part.cpu().contiguous().numpy().tobytes() for part in parts)


class Renders:
    """A world's renderer with a cache; returned renders must not be modified.

    Attributes:
        world: the renderer.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._recent: LRUCache[Render] = LRUCache(LIMIT)

    def __call__(self, factors: Factors) -> Render:
        """Render a batch, or return its cached render."""
        return self._recent(content_of(factors), lambda: self.world.render(factors))
