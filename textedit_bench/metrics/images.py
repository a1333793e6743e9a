"""Images for metrics: on the 8-bit grid, in chunks that fit memory, identified by content so as to compute them once.

The rows of a canvas that contain picture are cropped: LSUN cars are 512x384 between black bars of a 512x512 canvas.
Bars, which are equal by construction, would add 1.25 dB to PSNR and dilute LPIPS and FID (Karras et al. 2020 add them).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from textedit_bench.data.pixels import Pixels, to_images, to_uint8
from textedit_bench.metrics.column import Protocol

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


T = TypeVar("T")


class LRUCache(Generic[T]):
    """Least-recently-used cache of the results of a pure function.

    Args:
        limit: maximum number of results; the least recently used one is dropped first.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self._limit = limit
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def __call__(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result for ``key``, computed if it is not cached; if computing fails, nothing is cached."""
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        result = self._known[key] = compute()
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return result

    def __len__(self) -> int:
        return len(self._known)


MOST = 64
"""Maximum number of pictures at once, even if they are small."""
BYTES = 1 << 28
"""Maximum bytes of the intermediates of one chunk."""


def pictures_at_once(shape: Sequence[int], bytes_per_pixel: int) -> int:
    """Return how many pictures of a shape [..., H, W] to process at once, 1 to `MOST`.

    It depends only on the resolution, never on the free memory: convolution algorithms are chosen by batch size, which
    affects the last digits.

    Args:
        shape: of one picture or of a batch.
        bytes_per_pixel: memory that the work needs per pixel of a picture.
    """
    height, width = shape[-2:]
    return max(1, min(MOST, BYTES // (height * width * bytes_per_pixel)))


BATCHES = 512
"""Number of batches whose rows are cached: all edits of a method and of one control."""
BYTES_PER_PIXEL = 128
"""Bytes per pixel of the intermediates of preparing or resizing three channels in float32."""
HASHING_THREADS = 4


@dataclass(frozen=True)
class ImageBatch:
    """A batch ready for scoring.

    Attributes:
        images: [N, 3, H, W] float32 in [-1, 1] on the 8-bit grid; images with non-finite pixels are black here.
        keys: digest of each image's pixels.
        finite: bool [N], False where the given image had nan or infinity.
    """

    images: Tensor
    keys: tuple[bytes, ...]
    finite: Tensor

    @classmethod
    def of(cls, images: Tensor | ImageBatch, device: torch.device | str = "cpu") -> ImageBatch:
        """Quantise and identify a batch [N, 3, H, W] in [-1, 1]; an `ImageBatch` is returned unchanged.

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
                # Generators overshoot [-1, 1] by a few units at most; input in 0..255 would silently be clamped to
                # white.
                raise ValueError(f"images must lie in [-1, 1], got values up to {clean.abs().max().item():.1f}")
            finite.append(known.cpu())
            levels.append(to_uint8(clean))
        return replace(cls.of_pixels(np.concatenate(levels), device), finite=torch.cat(finite))

    @classmethod
    def of_pixels(cls, pixels: Pixels, device: torch.device | str = "cpu") -> ImageBatch:
        """Identify 8-bit pictures [N, H, W, 3]; nothing is copied from the device."""
        n, height, width = pixels.shape[:3]
        with ThreadPoolExecutor(HASHING_THREADS) as pool:
            keys = pool.map(digest_of, pixels)
            images = torch.empty(n, 3, height, width, device=device)
            size = pictures_at_once((height, width), BYTES_PER_PIXEL)
            for start in range(0, n, size):
                images[start : start + size] = to_images(pixels[start : start + size], device)
            return cls(images, tuple(keys), torch.ones(n, dtype=torch.bool))

    def split(self, size: int) -> list[ImageBatch]:
        """Split into batches of at most ``size`` images, in order."""
        parts = zip(self.images.split(size), self.finite.split(size), strict=True)
        starts = range(0, len(self), size)
        return [ImageBatch(i, self.keys[s : s + size], f) for s, (i, f) in zip(starts, parts, strict=True)]

    @property
    def shape(self) -> torch.Size:
        """Shape of the images: [N, 3, H, W]."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.keys)


def digest_of(picture: Pixels) -> bytes:
    """Compute the digest of an 8-bit picture [H, W, 3]: 16 bytes."""
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()


class ImageFeatures:
    """Caches a network's output per image for repeated images: photos, inversions, and batches of edits.

    A batch of edits recurs as a whole or not at all (the wrong-prompt control shows those of another cell), and its
    rows are cached as a whole: caching single rows would change the batch sizes of later network passes.

    Args:
        compute: images [B, 3, H, W] and their additional rows -> one row per image.
    """

    def __init__(self, compute: Callable[..., Tensor]) -> None:
        self._compute = compute
        self._known: dict[bytes, Tensor] = {}
        self._batches: LRUCache[Tensor] = LRUCache(BATCHES)

    def __call__(self, batch: ImageBatch, *, keep: bool, beside: Tensor | None = None) -> Tensor:
        """Return the rows of every image of the batch, in order, on the CPU.

        An image that was seen before (including an edit that changed nothing) gets the identical row, so that its
        difference to itself is exactly zero.

        Args:
            batch: the images.
            keep: cache each row of this batch permanently.
            beside: one additional row [N, ...] per image on which the result depends; the keys must identify these
                rows.
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
    """Select some of the rows, in ascending order; consecutive rows are not copied."""
    first, end = positions[0], positions[-1] + 1
    return rows[first:end] if end - first == len(positions) else torch.stack([rows[i] for i in positions])


EVERYTHING = slice(None)


def content_rows(domain: Domain) -> slice:
    """Return the rows of the tier's canvas that contain picture; all of them if there are no bars."""
    side, height = domain.resolution, domain.tier_card.height
    if height is None or height == side:
        return EVERYTHING
    first = (side - height) // 2
    return slice(first, first + height)


def content_of(batch: ImageBatch, rows: slice) -> ImageBatch:
    """Crop the bars off pictures, which keep their digests: metrics ignore the bars."""
    if rows == EVERYTHING:
        return batch
    return ImageBatch(batch.images[:, :, rows].contiguous(), batch.keys, batch.finite)


def of_rows(protocol: Protocol, rows: slice) -> Protocol:
    """Return the protocol of a metric that is restricted to these rows."""
    if rows == EVERYTHING:
        return protocol
    return replace(protocol, id=protocol.id.replace("+ref=", f"+rows={rows.start}-{rows.stop - 1}+ref="))
