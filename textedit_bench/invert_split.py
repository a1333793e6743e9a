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
    """Result of inverting a split.

    Attributes:
        asked: number of requested photos.
        photos: number of used photos; fewer if the source ended early.
        inverted: number of them that had no codes yet.
        skipped: images that were not used, with the reasons.
        folder: folder of the codes.
    """

    asked: int
    photos: int
    inverted: int
    skipped: list[Skipped]
    folder: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "skipped": [asdict(skipped) for skipped in self.skipped]}


@torch.no_grad()
def invert_split(domain: Domain, split: str, number: int | None, tell: Callable[[str], None]) -> Inverted:
    """Invert the photos of a split that are not in the cache; can be interrupted and resumed at any point.

    Args:
        domain: a domain with real photos.
        split: the split of the photos.
        number: number of photos, from the first; None for all.
        tell: called with progress messages.

    Raises:
        UserError: the images or networks are missing, or the split has no usable photo.
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
