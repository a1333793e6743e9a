"""Pictures as stored: 8-bit RGB, lossless, many in one uncompressed zip."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from textedit_bench.bench.picture_writer import PictureWriter
from textedit_bench.data.pixels import Pixels, to_images, to_uint8

__all__ = ["Pixels", "file_names", "read_pictures", "strength_name", "to_images", "to_uint8", "write_pictures"]


def write_pictures(path: Path, groups: Mapping[str, Pixels], ids: Sequence[str]) -> None:
    """Write ``<group>/<id>.png`` for every group and image; the same pixels give the same bytes.

    Args:
        path: the zip to write.
        groups: group name -> 8-bit [N, H, W, 3].
        ids: N image names.
    """
    with PictureWriter(path) as writer:
        writer.add(groups, file_names(ids))


def read_pictures(path: Path, ids: Sequence[str], groups: Sequence[str]) -> dict[str, Pixels]:
    """Read groups that `write_pictures` wrote, each 8-bit [N, H, W, 3] in the order of ``ids``."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for group in groups:
            names = [f"{group}/{name}.png" for name in file_names(ids)]
            found[group] = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names])
    return found


def file_names(ids: Sequence[str]) -> list[str]:
    """File names for image ids: harmless characters only, numbered where two would be equal."""
    names = [re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".")[:100] or "_" for text in ids]
    return names if len(set(names)) == len(names) else [f"{i:05d}-{name}" for i, name in enumerate(names)]


def strength_name(strength: float) -> str:
    """How a strength is written as a group of pictures: ``0.25``, ``1``."""
    return format(strength, "g")
