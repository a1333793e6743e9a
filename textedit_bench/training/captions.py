"""Embeddings of training photos' captions by the guiding CLIP, for methods that learn from pictures and texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from textedit_bench.training.codes import train_photos
from textedit_bench.training.kept import kept_path, kept_rows
from textedit_bench.training.photos import TrainingPhotos

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_TOLD_BY = 4
"""Photos whose captions decide whether a kept file is still of them."""


def caption_features(domain: Domain, photos: TrainingPhotos, count: int, folder: Path) -> tuple[Tensor, str]:
    """Embed the first ``count`` captions of every photo; where there are fewer, they repeat.

    Args:
        domain: of the photos.
        photos: whose captions.
        count: captions per photo.
        folder: of the file of embeddings.

    Returns:
        [M, count, d] float32 on the CPU, not normalised, memory-mapped; and a name that changes with photos, CLIP, and
        the captions of the first photos. Who corrects others trains in a new folder.

    Raises:
        UserError: photos without captions, or a caption that CLIP would truncate.
    """

    @torch.no_grad()
    def encode() -> Iterator[Tensor]:
        for part in train_photos(domain, len(photos)):
            texts = [texts[i % len(texts)] for texts in domain.captions(part) for i in range(count)]
            yield domain.clip.encode_text(texts).unflatten(0, (-1, count)).cpu()

    first = domain.captions(domain.photos("train", min(_TOLD_BY, len(photos))))
    path = kept_path(folder, domain, "captions", photos.name, domain.digest("clip"), count, first, ending=".npy")
    return kept_rows(path, (len(photos), count, domain.clip.embed_dim), np.float32, encode), path.stem
