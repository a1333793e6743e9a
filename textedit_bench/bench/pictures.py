"""Pictures as stored: 8-bit RGB, lossless, many in one uncompressed zip."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Pixels = NDArray[np.uint8]
_EPOCH = (1980, 1, 1, 0, 0, 0)


def to_uint8(images: Tensor) -> Pixels:
    """Images [N, 3, H, W] in [-1, 1] -> 8-bit [N, H, W, 3], rounded to the nearest level.

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected images [N, 3, H, W], got {tuple(images.shape)}")
    if not torch.isfinite(images).all():
        raise ValueError("images hold values that are not finite")
    levels = ((images.float() + 1) * 127.5).round().clamp(0, 255)
    pixels: Pixels = levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


def to_images(pixels: Pixels, device: torch.device | str = "cpu") -> Tensor:
    """8-bit [N, H, W, 3] -> images [N, 3, H, W] float32 in [-1, 1]; `to_uint8` gives the same pixels back."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def write_pictures(path: Path, groups: Mapping[str, Pixels], ids: Sequence[str]) -> None:
    """Write ``<group>/<id>.png`` for every group and image; the same pixels give the same bytes.

    Args:
        path: the zip to write.
        groups: group name -> 8-bit [N, H, W, 3].
        ids: N image names.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for group, pixels in groups.items():
            for name, picture in zip(file_names(ids), pixels, strict=True):
                archive.writestr(zipfile.ZipInfo(f"{group}/{name}.png", _EPOCH), _png(picture))


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


def _png(picture: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture, "RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
