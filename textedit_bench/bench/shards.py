"""Split a cell into shards: consecutive images that are computed and stored together, for resuming and distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textedit_bench.models.batches import images_at_once

BATCH = 24
"""Maximum number of images per network pass; fixed, since the last digits of results depend on it."""
SHARD_BYTES = 1 << 28
"""Bytes of the 8-bit pictures of one shard, all strengths together."""


@dataclass(frozen=True)
class Shard:
    """Images ``start`` to ``stop - 1`` of a cell."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def pass_size(resolution: int) -> int:
    """Return the images per network pass at a resolution in pixels, which affects the last digits of a result."""
    return images_at_once(resolution, BATCH)


def cut_shards(images: int, resolution: int, strengths: int, asked: int = 0) -> list[Shard]:
    """Split the images of a cell into shards.

    A shard is a whole number of network passes, so that results do not depend on its size.

    Args:
        images: of the cell.
        resolution: side of a picture in pixels.
        strengths: of the cell; a shard holds every picture of its images.
        asked: images per shard, rounded up to whole passes; 0 takes as many as fit into `SHARD_BYTES`.
    """
    one = pass_size(resolution)
    wanted = asked or SHARD_BYTES // (3 * resolution**2 * strengths)
    size = one * max(1, math.ceil(wanted / one) if asked else wanted // one)
    return [Shard(start, min(start + size, images)) for start in range(0, images, size)]
