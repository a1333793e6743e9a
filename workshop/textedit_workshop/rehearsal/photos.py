"""A handful of made-up photos in the layout of a data set's publisher."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from textedit_bench.data.card import SourceCard
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

_MAP_BYTES = 1 << 30


def picture(number: int, width: int, height: int) -> Image.Image:
    """A smooth coloured picture of its own for every number."""
    random = np.random.Generator(np.random.PCG64(number))
    coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def write_photos(path: Path, source: SourceCard, count: int, resolution: int) -> None:
    """Write ``count`` usable pictures: square ones of the full size for a folder, wider ones for an LMDB.

    Raises:
        UserError: a kind of source that no publisher uses.
    """
    if source.kind == "folder":
        _write_folder(path, count, resolution)
    elif source.kind == "lmdb":
        _write_lmdb(path, count, max(resolution, source.min_side))
    else:
        raise UserError(f"rehearsal: photos of kind {source.kind!r} are not made; valid: folder, lmdb")


def _write_folder(root: Path, count: int, side: int) -> None:
    """FFHQ's nesting: ``00000/00000.png``."""
    for number in range(count):
        folder = root / f"{number // 1000 * 1000:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        picture(number, side, side).save(folder / f"{number:05d}.png", compress_level=1)


def _write_lmdb(root: Path, count: int, side: int) -> None:
    """LSUN's: keys are hashes, values WebP or JPEG bytes, and one of them empty."""
    with needs_extra("lmdb", "rehearsal: writing an LMDB"):
        import lmdb

    root.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(root), map_size=_MAP_BYTES) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"0" * 40, b"")
        for number in range(count):
            stream = io.BytesIO()
            picture(number, side * 4 // 3, side).save(stream, format="WEBP" if number % 2 else "JPEG", quality=75)
            transaction.put(hashlib.sha1(str(number).encode()).hexdigest().encode(), stream.getvalue())
