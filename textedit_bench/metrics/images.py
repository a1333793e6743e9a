"""Images as metrics see them: on the 8-bit grid, named by content, so that features are computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from textedit_bench.data.pixels import Pixels, to_images, to_uint8
from textedit_bench.metrics.chunks import pictures_at_once
from textedit_bench.metrics.lru_cache import LRUCache

BATCHES = 512
"""Batches whose rows are remembered: all edits of a method and of one control between it and the next."""
BYTES_PER_PIXEL = 128
"""What preparing pictures, or shrinking them for a network, keeps of three channels in float32."""
HASHING_THREADS = 4


@dataclass(frozen=True)
class ImageBatch:
    """A batch ready for scoring.

    Attributes:
        images: [N, 3, H, W] float32 in [-1, 1] on the 8-bit grid; images with non-finite pixels are black here.
        keys: digest of each image's pixels.
        finite: bool [N], False where the given image held nan or infinity.
    """

    images: Tensor
    keys: tuple[bytes, ...]
    finite: Tensor

    @classmethod
    def of(cls, images: Tensor | ImageBatch, device: torch.device | str = "cpu") -> ImageBatch:
        """Quantise and name a batch [N, 3, H, W] in [-1, 1]; one that is ready is given back.

        Raises:
            ValueError: another shape, or values that cannot be images in [-1, 1] (such as 0..255).
        """
        if isinstance(images, ImageBatch):
            return images
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images must have shape [N, 3, H, W], got {tuple(images.shape)}")
        finite, levels = [], []
        for part in images.detach().split(pictures_at_once(images.shape, BYTES_PER_PIXEL)):
            known = part.isfinite().flatten(1).all(1)
            clean = torch.where(known[:, None, None, None], part, torch.full_like(part, -1.0))
            if len(clean) and clean.abs().max() > 16.0:
                # Generators overshoot [-1, 1] by a few units at most; 0..255 input would be clamped to white unnoticed.
                raise ValueError(f"images must lie in [-1, 1], got values up to {clean.abs().max().item():.1f}")
            finite.append(known.cpu())
            levels.append(to_uint8(clean))
        return replace(cls.of_pixels(np.concatenate(levels), device), finite=torch.cat(finite))

    @classmethod
    def of_pixels(cls, pixels: Pixels, device: torch.device | str = "cpu") -> ImageBatch:
        """Name 8-bit pictures [N, H, W, 3]; nothing comes back from the device."""
        n, height, width = pixels.shape[:3]
        with ThreadPoolExecutor(HASHING_THREADS) as pool:
            keys = pool.map(digest_of, pixels)
            images = torch.empty(n, 3, height, width, device=device)
            size = pictures_at_once((height, width), BYTES_PER_PIXEL)
            for start in range(0, n, size):
                images[start : start + size] = to_images(pixels[start : start + size], device)
            return cls(images, tuple(keys), torch.ones(n, dtype=torch.bool))

    def split(self, size: int) -> list[ImageBatch]:
        """Batches of at most ``size`` images, in order."""
        parts = zip(self.images.split(size), self.finite.split(size), strict=True)
        starts = range(0, len(self), size)
        return [ImageBatch(i, self.keys[s : s + size], f) for s, (i, f) in zip(starts, parts, strict=True)]

    @property
    def shape(self) -> torch.Size:
        """Of the images: [N, 3, H, W]."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.keys)


def digest_of(picture: Pixels) -> bytes:
    """The name of an 8-bit picture [H, W, 3]: 16 bytes."""
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()


class ImageFeatures:
    """A network's output per image, remembered for what comes back: photos, inversions, and batches of edits.

    A batch of edits comes back as a whole or not at all (the wrong-prompt control shows another cell's), and its rows
    are remembered as a whole: single rows would change how many images of a later batch the network sees at once.

    Args:
        compute: images [B, 3, H, W], and what was given beside them, -> one row per image.
    """

    def __init__(self, compute: Callable[..., Tensor]) -> None:
        self._compute = compute
        self._known: dict[bytes, Tensor] = {}
        self._batches: LRUCache[Tensor] = LRUCache(BATCHES)

    def __call__(self, batch: ImageBatch, *, keep: bool, beside: Tensor | None = None) -> Tensor:
        """Rows for every image of the batch, in order, on the CPU.

        An image seen before (an edit that changed nothing included) gets the very same row, so that comparing it with
        itself gives exactly no difference.

        Args:
            batch: the images.
            keep: remember each row of this batch for good.
            beside: one row [N, ...] per image that the result depends on too; the keys have to tell such rows apart.
        """
        if keep and not all(key in self._known for key in batch.keys):
            return self._rows(batch, beside, keep=True)
        return self._batches(batch.keys, lambda: self._rows(batch, beside, keep=False))

    def _rows(self, batch: ImageBatch, beside: Tensor | None, *, keep: bool) -> Tensor:
        first = {key: i for i, key in reversed(list(enumerate(batch.keys)))}
        missing = sorted(i for key, i in first.items() if key not in self._known)
        size = pictures_at_once(batch.shape, BYTES_PER_PIXEL)
        parts = [missing[start : start + size] for start in range(0, len(missing), size)]
        fresh: dict[bytes, Tensor] = {}
        if parts:
            given = [batch.images] if beside is None else [batch.images, beside]
            rows = torch.cat([self._compute(*(_chosen(rows, part) for rows in given)) for part in parts]).cpu()
            fresh = {batch.keys[i]: row for i, row in zip(missing, rows, strict=True)}
        if keep:
            self._known.update(fresh)
        return torch.stack([fresh[key] if key in fresh else self._known[key] for key in batch.keys])


def _chosen(rows: Tensor, positions: list[int]) -> Tensor:
    """Some of the rows, in ascending order; a part without gaps is not copied."""
    first, end = positions[0], positions[-1] + 1
    return rows[first:end] if end - first == len(positions) else torch.stack([rows[i] for i in positions])
