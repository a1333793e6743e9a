"""Photos of a user's own: files to tensors and back."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from textedit_bench.errors import UserError

FORMATS = (".png", ".jpg", ".jpeg", ".webp")


def read_photo(path: str | Path, resolution: int) -> Tensor:
    """A picture file, turned upright as its camera says, cropped to its central square and resized.

    Args:
        path: the file, in any format that Pillow reads.
        resolution: side of the result in pixels.

    Returns:
        [1, 3, resolution, resolution] float32 in [-1, 1].

    Raises:
        UserError: the file is missing or is no picture.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except FileNotFoundError as error:
        raise UserError(f"photo {path}: there is no such file") from error
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise UserError(f"photo {path}: cannot be read as a picture ({error})") from error
    square = ImageOps.fit(upright, (resolution, resolution), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.asarray(square).copy())
    return pixels.permute(2, 0, 1).unsqueeze(0).float() / 127.5 - 1


def check_output(path: Path) -> None:
    """Refuse a picture file that cannot be written before anything is computed.

    Raises:
        UserError: the format is unknown, or the folder does not exist or is closed.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"output {path}: unknown picture format {path.suffix!r}. Valid: {', '.join(FORMATS)}")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"output {path}: the folder {path.parent} does not exist or cannot be written")
    if path.is_dir():
        raise UserError(f"output {path}: is a folder")


def write_row(images: Tensor, path: Path) -> None:
    """Write images side by side.

    Args:
        images: [N, 3, H, W]; values outside [-1, 1] are clipped.
        path: the file; its ending names the format.
    """
    levels = ((images.detach().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    row = levels.permute(2, 0, 3, 1).reshape(images.shape[2], -1, 3)
    Image.fromarray(row.numpy()).save(path)
