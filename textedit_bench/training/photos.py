"""Provide training photos for image losses, and their embeddings by the guiding CLIP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.levels import from_levels, to_levels
from textedit_bench.training.codes import photo_count, train_photos
from textedit_bench.training.kept import kept_path, kept_rows
from textedit_bench.training.prepared import prepared

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_TOLD_BY = 4
"""Photos that decide whether a kept file is still of this split."""


class TrainingPhotos:
    """The first photos of the training split in 8 bits, in a memory-mapped file.

    Args:
        domain: the domain of the photos.
        count: number of photos; 0 means the whole split.
        largest_side: larger photos are averaged down to it.
        folder: folder of the file, whose name depends on its content.

    Raises:
        UserError: more photos than there are.
    """

    def __init__(self, domain: Domain, count: int, largest_side: int, folder: Path) -> None:
        self.count, self.side = photo_count(domain, count, "num_photos"), min(domain.resolution, largest_side)
        shown = _shown(domain, self.count, self.side)
        file = kept_path(folder, domain, "photos", self.count, self.side, shown, ending=".npy")
        self.name, shape = file.stem, (self.count, 3, self.side, self.side)
        self._pixels = kept_rows(file, shape, np.uint8, lambda: self._read(domain))

    def __len__(self) -> int:
        return self.count

    def __call__(self, index: Tensor) -> Tensor:
        """Return the photos at positions [B] on the CPU, float32 [B, 3, side, side] in [-1, 1]."""
        return from_levels(self._pixels[index])

    def _read(self, domain: Domain) -> Iterator[Tensor]:
        for photos in train_photos(domain, self.count):
            yield _levels(photos.images, self.side)


def seen_photos(domain: Domain, most: int) -> Tensor:
    """Compute unit embeddings [N, d] of the first training photos by the guiding CLIP, on the CPU.

    They are cached on this machine (`textedit_bench.training.prepared`).

    Args:
        domain: the domain of the photos.
        most: maximum number of photos; 0 means the whole split.

    Raises:
        UserError: there are none.
    """
    there = photo_count(domain, 0, "training photos")
    count = min(most or there, there)

    @torch.no_grad()
    def make() -> dict[str, Tensor]:
        seen = (domain.clip.encode_image(photos.images) for photos in train_photos(domain, count))
        parts = [F.normalize(part, dim=-1) for part in seen]
        return {"seen": torch.cat(parts).float().cpu()}

    return prepared(domain, "seen-photos", ("clip",), (count, _shown(domain, count, domain.resolution)), make)["seen"]


def _shown(domain: Domain, count: int, side: int) -> str:
    """Compute a digest of the first photos: the content of a split may change with its source or renderer."""
    first = domain.photos("train", min(_TOLD_BY, count)).images
    return hashlib.sha256(_levels(first, side).numpy().tobytes()).hexdigest()


def shrink(images: Tensor, side: int) -> Tensor:
    """Average images [B, 3, H, W] down to ``side``; unchanged if they have this size."""
    return images if images.shape[-1] == side else F.adaptive_avg_pool2d(images, side)


def _levels(images: Tensor, side: int) -> Tensor:
    """Convert images [B, 3, H, W] in [-1, 1] to 8-bit [B, 3, side, side] on the CPU."""
    return to_levels(shrink(images, side)).cpu()
