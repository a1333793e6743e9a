"""What is trained on: photos, samples of the generator, and their CLIP features, computed once and kept in files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.files import locked, reserve, write_atomically
from textedit_bench.models.batches import images_at_once
from textedit_bench.training import training_codes
from textedit_bench.training.kept import kept

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel

LARGEST_SIDE = 256
"""Side at which pictures enter the loss; larger ones are averaged down (a second derivative at 1024 is too dear)."""
_TOLD_BY = 4
"""Photos that decide whether a kept file is still of this split."""


def shrink(images: Tensor, side: int) -> Tensor:
    """Images [B, 3, H, W] averaged down to ``side``; the same where they have it."""
    return images if images.shape[-1] == side else F.adaptive_avg_pool2d(images, side)


class TrainingPhotos:
    """The first photos of the training split in 8 bits, in a file that is mapped into memory.

    Args:
        domain: whose photos.
        count: how many; 0 means the whole split.
        folder: where the file is kept, under a name made of what it holds.

    Raises:
        UserError: more photos than there are.
    """

    def __init__(self, domain: Domain, count: int, folder: Path) -> None:
        available = {str(name): number for name, number in domain.tier_card.splits.items()}.get("train", 0)
        if count > available or available == 0:
            raise UserError(f"num_photos: {count or 'all'} asked, split train of {domain.name} has {available} photos")
        self.count, self.side = count or available, min(domain.resolution, LARGEST_SIDE)
        # what the split shows may change with its source or renderer; the first photos tell
        first = domain.photos("train", min(_TOLD_BY, self.count)).images
        shown = hashlib.sha256(_levels(first, self.side).numpy().tobytes()).hexdigest()
        self.name = _name(domain, "photos", self.count, self.side, shown)
        path = folder / f"{self.name}.npy"
        with locked(folder):
            if not path.is_file():
                write_atomically(path, partial(_write_photos, domain, self.count, self.side))
        self._pixels = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return self.count

    def __call__(self, index: Tensor) -> Tensor:
        """The photos of these positions [B] on the CPU, float32 [B, 3, side, side] in [-1, 1]."""
        return torch.from_numpy(self._pixels[index.numpy()]).float().div(127.5).sub(1)


def _levels(images: Tensor, side: int) -> Tensor:
    """Images [B, 3, H, W] in [-1, 1] -> 8-bit [B, 3, side, side] on the CPU."""
    return shrink(images, side).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu()


def _write_photos(domain: Domain, count: int, side: int, path: Path) -> None:
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 3, side, side))
    reserve(path)
    at_once = images_at_once(domain.resolution)
    for start in range(0, count, at_once):
        images = domain.photos("train", min(at_once, count - start), start).images
        pixels[start : start + len(images)] = _levels(images, side).numpy()
    pixels.flush()


@torch.no_grad()
def photo_features(
    domain: Domain, clip: ClipModel, clip_name: str, photos: TrainingPhotos, flip: bool, folder: Path
) -> Tensor:
    """CLIP features of all training photos, and of their mirror images where ``flip``.

    Returns:
        [M, 1 or 2, d] float32 on the CPU, as CLIP gives them.
    """

    def encode(index: Tensor) -> Tensor:
        images = sent(photos(index), domain.device)
        views = [images, images.flip(-1)] if flip else [images]
        return torch.stack([clip.encode_image(view).float() for view in views], dim=1)

    path = folder / f"{_name(domain, 'features', photos.name, clip_name, flip)}.safetensors"
    return _kept(path, domain, clip_name, len(photos), encode)


@torch.no_grad()
def sample_pairs(
    domain: Domain, clip: ClipModel, clip_name: str, count: int, seed: int, folder: Path
) -> tuple[Tensor, Tensor]:
    """The generator's own samples: CLIP features of their pictures, and their codes, which no inversion has blurred.

    There are as many as one likes; a few thousand photos are learnt by heart (README).

    Returns:
        Features [count, d] and codes [count, rows, w_dim], float32 on the CPU; kept in ``folder``.
    """
    codes = training_codes(domain, "samples", count, seed, folder)

    def encode(index: Tensor) -> Tensor:
        images = domain.generator.synthesize(sent(codes[index], domain.device)).clamp(-1, 1)
        return clip.encode_image(images).float()

    name = _name(domain, "sample-features", domain.digest("generator"), clip_name, count, seed)
    return _kept(folder / f"{name}.safetensors", domain, clip_name, count, encode), codes


def _kept(path: Path, domain: Domain, clip_name: str, count: int, encode: Callable[[Tensor], Tensor]) -> Tensor:
    """Features of pictures 0 to ``count``: of the file, or encoded part by part and kept there."""

    def make() -> dict[str, Tensor]:
        parts = torch.arange(count).split(images_at_once(domain.resolution))
        return {"features": torch.cat([encode(index) for index in parts]).cpu()}

    return kept(path, make, {"dataset": domain.name, "tier": domain.tier, "clip": clip_name})["features"]


def _name(domain: Domain, what: str, *axes: object) -> str:
    identity = json.dumps([domain.name, domain.tier, what, *axes])
    return f"{domain.name}-{domain.tier}-{what}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
