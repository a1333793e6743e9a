"""Invert a whole split into the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.data.pixels import to_uint8
from textedit_bench.data.reader import Skipped

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

BATCH = 24


@dataclass(frozen=True)
class Inverted:
    """What became of a split.

    Attributes:
        asked: how many photos were asked for.
        photos: how many were used; fewer where the source ended early.
        inverted: how many of them had no codes yet.
        skipped: images that were not used, with the reasons.
        folder: where the codes are kept.
    """

    asked: int
    photos: int
    inverted: int
    skipped: list[Skipped]
    folder: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "skipped": [asdict(skipped) for skipped in self.skipped]}


@torch.no_grad()
def invert_split(domain: Domain, split: str, number: int | None, tell: Callable[[str], None]) -> Inverted:
    """Invert the photos of a split that were not inverted before; stopped anywhere, it goes on from there.

    Args:
        domain: its photos must be real ones.
        split: which photos.
        number: only the first so many; all where None, or as many as the source has.
        tell: called with a line now and then.

    Raises:
        UserError: the images or networks are not there, or the split has no usable photo at all.
        PlaceError: the codes cannot be written.
    """
    cache, photos, inverted, told = domain.inversions, 0, 0, 0
    for batch in domain.photo_batches(split, number, BATCH, partial=True):
        pixels, size = to_uint8(batch.images), domain.inverter.batch_size
        _, fresh = cache.invert(pixels, domain.encode_pixels, size, must_keep=True)
        photos += len(batch.ids)
        inverted += fresh
        if fresh and photos >= told + 10 * BATCH:
            told = photos
            tell(f"{domain.name} {split}: {photos} photos, {inverted} inverted now")
    asked = number or next(count for name, count in domain.tier_card.splits.items() if name == split)
    return Inverted(asked, photos, inverted, domain.skipped, str(cache.path))
