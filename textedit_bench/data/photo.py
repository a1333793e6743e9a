"""Convert users' photo files to tensors and back."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from textedit_bench.data.crop import Crop
from textedit_bench.data.decode import UnusableImageError, decode_picture, read_encoded
from textedit_bench.data.pixels import FORMATS, save_picture, to_images
from textedit_bench.errors import UserError
from textedit_bench.levels import to_levels

log = logging.getLogger(__name__)

__all__ = ["FORMATS", "open_photo", "read_photo", "write_grid"]


def open_photo(path: str | Path) -> Image.Image:
    """Read a picture file as 8-bit sRGB; changes by decoding are logged.

    Args:
        path: the file, in one of the formats that `decode` reads.

    Raises:
        UserError: the file is missing, too large, or is no picture.
    """
    try:
        decoded = decode_picture(read_encoded(Path(path)))
    except UnusableImageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise UserError(f"photo {path}: there is no such file") from error
        raise UserError(f"photo {path}: cannot be read as a picture ({error})") from error
    for change in decoded.changes:
        log.info("photo %s: %s", path, change)
    return decoded.image


def read_photo(path: str | Path, resolution: int, height: int | None = None) -> Tensor:
    """Read a picture file, upright, with its central part resized like the pictures of a data set.

    Args:
        path: the file, in one of the formats that `decode` reads.
        resolution: side of the result in pixels.
        height: rows of picture, centred between black bars; all rows if None.

    Returns:
        [1, 3, resolution, resolution] float32 in [-1, 1].

    Raises:
        UserError: the file is missing, too large, or is no picture.
    """
    crop = Crop("square" if height is None else "wide", resolution, height)
    return to_images(crop(open_photo(path))[None])


def write_grid(images: Tensor, path: Path, columns: int | None = None) -> None:
    """Write images as one picture, row by row.

    Args:
        images: [N, 3, H, W]; values outside [-1, 1] are clipped.
        path: the file; its extension determines the format.
        columns: images per row; about as many as rows if None. An incomplete last row is filled with black.
    """
    columns = columns or max(1, round(len(images) ** 0.5))
    levels = to_levels(images).cpu()
    levels = torch.cat([levels, levels.new_zeros(-len(levels) % columns, *levels.shape[1:])])
    rows = levels.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2)  # [rows, H, columns, W, 3]
    save_picture(Image.fromarray(rows.flatten(2, 3).flatten(0, 1).numpy()), path)
