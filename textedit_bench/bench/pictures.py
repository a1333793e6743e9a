"""Read and write stored pictures: 8-bit RGB, lossless, many in one uncompressed zip."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textedit_bench.bench.picture_writer import PictureWriter
from textedit_bench.data.decode import decode
from textedit_bench.data.pixels import Pixels, to_images, to_uint8

__all__ = ["Pixels", "file_names", "read_pictures", "strength_name", "to_images", "to_uint8", "write_pictures"]


def write_pictures(
    path: Path, groups: Mapping[str, Pixels], ids: Sequence[str], among: Sequence[str] | None = None
) -> None:
    """Write ``<group>/<id>.png`` for every group and image; the same pixels give the same bytes.

    Args:
        path: the zip to write.
        groups: group name -> 8-bit [N, H, W, 3].
        ids: N image names.
        among: names of all images of the cell, if these are a part of them.
    """
    with PictureWriter(path) as writer:
        writer.add(groups, file_names(ids, among))


def read_pictures(
    path: Path, ids: Sequence[str], groups: Sequence[str], among: Sequence[str] | None = None
) -> dict[str, Pixels]:
    """Read groups that `write_pictures` wrote, each 8-bit [N, H, W, 3] in the order of ``ids``.

    Raises:
        KeyError: a picture does not exist.
    """
    found = {}
    with zipfile.ZipFile(path) as archive:
        for group in groups:
            names = [f"{group}/{name}.png" for name in file_names(ids, among)]
            found[group] = np.stack([np.asarray(decode(archive.read(name))) for name in names])
    return found


def file_names(ids: Sequence[str], among: Sequence[str] | None = None) -> list[str]:
    """Return file names for image ids: safe characters only, numbered if two would be equal.

    Args:
        ids: image names.
        among: names of all images; ``ids`` themselves if None.
    """
    everyone = ids if among is None else among
    names = [re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".")[:100] or "_" for text in everyone]
    if len(set(names)) != len(names):
        names = [f"{i:05d}-{name}" for i, name in enumerate(names)]
    if among is None:
        return names
    known = dict(zip(everyone, names, strict=True))
    return [known[text] for text in ids]


def strength_name(strength: float) -> str:
    """Return the name of a strength as a group of pictures: ``0.25``, ``1``."""
    return format(strength, "g")
