"""What DeltaEdit is trained on: style codes and CLIP features of samples and of inverted photos, computed once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.files import locked, reserve, write_text
from textedit_bench.models.batches import images_at_once
from textedit_methods.deltaedit.styles import edited_widths, without_rgb

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing

_CHUNK = 64
"""Draws at a time; the stream depends on it."""
_MARK = "finished.json"


@dataclass(frozen=True)
class Features:
    """One row per image, samples first; on the CPU, read from disk as they are needed.

    Attributes:
        styles: convolutions' styles, raw, [N, num_styles].
        clip: unit CLIP features [N, d].
    """

    styles: Tensor
    clip: Tensor

    def pairs(self, first: Tensor, second: Tensor) -> dict[str, Tensor]:
        """CLIP features ``start`` and ``end`` of the images at these positions, and ``end_styles`` of the second."""
        return {"start": self.clip[first], "end": self.clip[second], "end_styles": self.styles[second]}


def training_features(
    domain: Domain, *, samples: int, photos: int, preprocessing: Preprocessing, seed: int, folder: Path
) -> Features:
    """Features of untruncated samples and of photos of the training split.

    CLIP sees a sample's image, and a photo itself, while the style code is that of its inversion: so it will be at
    edit time.

    Args:
        domain: whose generator, inverter, photos and guiding CLIP to use.
        samples: how many draws of the generator.
        photos: how many photos.
        preprocessing: how images reach CLIP.
        seed: of the samples.
        folder: where they are kept, in a folder of their own per content.

    Raises:
        UserError: more photos than there are, or fewer than two images in all.
    """
    available = {str(name): count for name, count in domain.tier_card.splits.items()}.get("train", 0)
    if photos > available:
        raise UserError(f"num_photos: {photos} asked, split train of {domain.name} has {available}")
    if samples + photos < 2:
        raise UserError(f"num_samples and num_photos: differences need two images, got {samples + photos}")
    place = folder / _name(domain, samples, photos, preprocessing, seed)
    with locked(place):  # of several processes that train together, one computes them
        if not (place / _MARK).is_file():
            _write(domain, place, samples, photos, preprocessing, seed)
    styles = torch.from_numpy(np.load(place / "styles.npy", mmap_mode="c"))
    return Features(styles, torch.from_numpy(np.load(place / "clip.npy")))


def _name(domain: Domain, samples: int, photos: int, preprocessing: Preprocessing, seed: int) -> str:
    from textedit_bench.training import inverted_by

    roles = ["generator", "clip"] + (["encoder"] if photos and domain.has("encoder") else [])
    made_by: list[object] = [domain.digest(role) for role in roles]
    inversion = list(inverted_by(domain).values()) if photos else []
    identity = json.dumps([samples, photos, preprocessing, seed, made_by, *inversion])
    return f"{domain.name}-{domain.tier}-features-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


@torch.no_grad()
def _write(domain: Domain, place: Path, samples: int, photos: int, preprocessing: Preprocessing, seed: int) -> None:
    count, widths = samples + photos, edited_widths(domain.generator)
    styles = open_memmap(place / "styles.npy", mode="w+", dtype=np.float32, shape=(count, sum(widths)))
    clip = open_memmap(place / "clip.npy", mode="w+", dtype=np.float32, shape=(count, domain.clip.embed_dim))
    for name in ("styles.npy", "clip.npy"):
        reserve(place / name)
    row = 0
    for codes, images in _images(domain, samples, photos, seed):
        end = row + len(codes)
        features = domain.clip.encode_image(images, preprocessing=preprocessing).float()
        styles[row:end] = without_rgb(domain.generator, domain.generator.to_style(codes)).float().cpu().numpy()
        clip[row:end] = F.normalize(features, dim=-1).cpu().numpy()
        row = end
    styles.flush()
    clip.flush()
    write_text(place / _MARK, json.dumps({"samples": samples, "photos": photos}) + "\n")


def _images(domain: Domain, samples: int, photos: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """W+ codes and what CLIP is to see, batch by batch."""
    generator = domain.generator
    stream = torch.Generator().manual_seed(seed)
    for start in range(0, samples, _CHUNK):
        z = torch.randn(min(_CHUNK, samples - start), generator.z_dim, generator=stream)
        codes = generator.map(sent(z, domain.device)).unsqueeze(1).repeat(1, generator.num_rows, 1)
        for part in codes.split(images_at_once(generator.resolution)):
            yield part, generator.synthesize(part)
    at_once = images_at_once(generator.resolution)
    for start in range(0, photos, at_once):
        batch = domain.photos("train", min(at_once, photos - start), start)
        yield domain.invert(batch).codes, batch.images
