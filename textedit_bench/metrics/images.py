"""Images as metrics see them: on the 8-bit grid, named by content, so that features are computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from textedit_bench.metrics.recent import Recent

BATCH_SIZE = 64
"""Images per network pass; fixed, because convolution kernels chosen by batch size move the last digits."""
BATCHES = 512
"""Batches whose rows are remembered: all edits of a method and of one control between it and the next."""


def to_eight_bit(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to the 256 levels that a lossless file holds; values outside are clamped.

    A picture in memory and the same picture read back from its PNG therefore get the same score.
    """
    return ((images.float() + 1.0) * 127.5).round().clamp(0.0, 255.0) / 127.5 - 1.0


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
        images = images.detach().to(device)
        finite = images.isfinite().flatten(1).all(1)
        clean = torch.where(finite[:, None, None, None], images, torch.full_like(images, -1.0))
        if len(clean) and clean.abs().max() > 16.0:
            # Generators overshoot [-1, 1] by a few units at most; 0..255 input would be clamped to white unnoticed.
            raise ValueError(f"images must lie in [-1, 1], got values up to {clean.abs().max().item():.1f}")
        clean = to_eight_bit(clean)
        raw = ((clean + 1.0) * 127.5).round().to(torch.uint8).cpu().contiguous().numpy()
        keys = tuple(hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in raw)
        return cls(clean, keys, finite.cpu())

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


class ImageFeatures:
    """A network's output per image, remembered for what comes back: photos, inversions, and batches of edits.

    A batch of edits comes back as a whole or not at all (the wrong-prompt control shows another cell's), and its rows
    are remembered as a whole: single rows would change how many images of a later batch the network sees at once.

    Args:
        compute: images [B, 3, H, W] -> one row per image.
        batch_size: images per call of ``compute``.
    """

    def __init__(self, compute: Callable[[Tensor], Tensor], batch_size: int = BATCH_SIZE) -> None:
        self._compute = compute
        self._batch_size = batch_size
        self._known: dict[bytes, Tensor] = {}
        self._batches: Recent[Tensor] = Recent(BATCHES)

    def __call__(self, batch: ImageBatch, *, keep: bool) -> Tensor:
        """Rows for every image of the batch, in order.

        An image seen before (an edit that changed nothing included) gets the very same row, so that comparing it with
        itself gives exactly no difference.

        Args:
            batch: the images.
            keep: remember each row of this batch for good.
        """
        if keep and not all(key in self._known for key in batch.keys):
            return self._rows(batch, keep=True)
        return self._batches(batch.keys, lambda: self._rows(batch, keep=False))

    def _rows(self, batch: ImageBatch, *, keep: bool) -> Tensor:
        first = {key: i for i, key in reversed(list(enumerate(batch.keys)))}
        missing = [i for key, i in first.items() if key not in self._known]
        fresh: dict[bytes, Tensor] = {}
        for part in torch.tensor(sorted(missing), dtype=torch.long).split(self._batch_size):
            if len(part):
                rows = self._compute(batch.images[part.to(batch.images.device)]).cpu()
                fresh.update((batch.keys[i], row) for i, row in zip(part.tolist(), rows, strict=True))
        if keep:
            self._known.update(fresh)
        return torch.stack([fresh[key] if key in fresh else self._known[key] for key in batch.keys])
