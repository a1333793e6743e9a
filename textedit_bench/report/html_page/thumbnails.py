"""Encode the pictures of the report: one strip per edit with all strengths side by side, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from textedit_bench.bench.kept import PICTURES
from textedit_bench.bench.pictures import Pixels, read_pictures
from textedit_bench.report.collect import ComparableCells

LARGEST = 128
"""Side of a picture in the report; larger ones are reduced."""


@dataclass
class ThumbnailBook:
    """Encodes pictures; equal ones are stored once.

    Attributes:
        quality: of the WebP pictures.
        largest: side that larger pictures are reduced to.
        lossless: whether they are kept exactly.
        uris: the encoded pictures, in order; other data refer to them by position.
    """

    quality: int = 80
    largest: int = LARGEST
    lossless: bool = False
    uris: list[str] = field(default_factory=list)
    _known: dict[bytes, int] = field(default_factory=dict)

    def add(self, pictures: Sequence[Pixels]) -> int:
        """Encode a strip of pictures, each 8-bit [H, W, 3], left to right, and return its position."""
        raw = np.concatenate([np.ascontiguousarray(picture) for picture in pictures], axis=1)
        key = raw.shape[1].to_bytes(4, "big") + raw.tobytes()
        if key not in self._known:
            self._known[key] = len(self.uris)
            self.uris.append(self.encode(raw, len(pictures)))
        return self._known[key]

    def encode(self, raw: Pixels, count: int = 1) -> str:
        """Encode a picture or strip as a data URI."""
        image = Image.fromarray(np.ascontiguousarray(raw), "RGB")
        height = image.height
        if height > self.largest:
            side = round(self.largest * (image.width / count) / height)
            image = image.resize((side * count, self.largest), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=self.quality, lossless=self.lossless, method=4)
        return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def read_sources(collected: ComparableCells, images: Sequence[str]) -> dict[str, Pixels] | None:
    """Read ``photo`` and ``inversion``, each [len(images), H, W, 3]; None if the inputs are missing."""
    if collected.inputs is None or not (collected.inputs / PICTURES).is_file():
        return None
    return read_pictures(collected.inputs / PICTURES, images, ["photo", "inversion"], collected.pool)
