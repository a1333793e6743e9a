"""A handful of made-up photos in the layout of a data set's publisher, with captions."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
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


def picture_names(source: SourceCard, count: int) -> list[str]:
    """Names of pictures in a source: FFHQ's nesting in a folder, LSUN's hashes in an LMDB.

    Raises:
        UserError: a kind of source that no publisher uses.
    """
    if source.kind == "folder":
        return [f"{number // 1000 * 1000:05d}/{number:05d}.png" for number in range(count)]
    if source.kind == "lmdb":
        return [hashlib.sha1(str(number).encode()).hexdigest() for number in range(count)]
    raise UserError(f"rehearsal: photos of kind {source.kind!r} are not made; valid: folder, lmdb")


def write_photos(path: Path, source: SourceCard, count: int, resolution: int) -> None:
    """Write ``count`` usable pictures: square ones of the full size for a folder, wider ones for an LMDB.

    Raises:
        UserError: a kind of source that no publisher uses.
    """
    names = picture_names(source, count)
    if source.kind == "folder":
        _write_folder(path, names, resolution)
    else:
        _write_lmdb(path, names, max(resolution, source.min_side))


def write_captions(folder: Path, source: SourceCard, count: int) -> None:
    """Write a text file of two captions for every picture."""
    for number, name in enumerate(picture_names(source, count)):
        path = folder.joinpath(name).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"picture {number}\nthe person has {number} smiles\n", encoding="utf-8")


def _write_folder(root: Path, names: Sequence[str], side: int) -> None:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, side, side).save(path, compress_level=1)


def _write_lmdb(root: Path, names: Sequence[str], side: int) -> None:
    """Keys are hashes, values WebP or JPEG bytes, and one of them empty."""
    with needs_extra("lmdb", "rehearsal: writing an LMDB"):
        import lmdb

    root.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(root), map_size=_MAP_BYTES) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"0" * 40, b"")
        for number, name in enumerate(names):
            stream = io.BytesIO()
            picture(number, side * 4 // 3, side).save(stream, format="WEBP" if number % 2 else "JPEG", quality=75)
            transaction.put(name.encode(), stream.getvalue())
