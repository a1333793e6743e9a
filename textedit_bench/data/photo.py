"""Photos of a user's own: files to tensors and back."""

from __future__ import annotations

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


def write_grid(images: Tensor, path: Path, columns: int | None = None) -> None:
    """Write images as one picture, row by row.

    Args:
        images: [N, 3, H, W]; values outside [-1, 1] are clipped.
        path: the file; its ending names the format.
        columns: images per row; about as many as rows where None. A last row that is not full ends in black.
    """
    columns = columns or max(1, round(len(images) ** 0.5))
    levels = ((images.detach().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    levels = torch.cat([levels, levels.new_zeros(-len(levels) % columns, *levels.shape[1:])])
    rows = levels.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2)  # [rows, H, columns, W, 3]
    Image.fromarray(rows.flatten(2, 3).flatten(0, 1).numpy()).save(path)
