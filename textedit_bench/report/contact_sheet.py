"""Draw labelled pictures of one command: a photo with its edits, or pictures generated from one text."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from textedit_bench.data.pixels import Pixels, to_uint8
from textedit_bench.report.sheet import TILE, SheetRow, draw_sheet

LARGEST_TILE = 512
COLUMNS = 4
"""Pictures per row of a contact sheet."""


def draw_row(title: str, name: str, labels: Sequence[str], images: Tensor) -> Image.Image:
    """Draw images in one row, each below its label.

    Args:
        title: one line at the top.
        name: label on the left of the row.
        labels: N texts.
        images: [N, 3, H, W]; values outside [-1, 1] are clipped.
    """
    row = SheetRow(name, tuple(to_uint8(images.detach().clamp(-1, 1))))
    return draw_sheet(title, labels, [[row]], _tile(images.shape[-1]))


def draw_contact_sheet(title: str, pictures: Sequence[Pixels], columns: int = COLUMNS) -> Image.Image:
    """Draw pictures in rows, numbered from 0 like their files.

    Args:
        title: one line above everything.
        pictures: at least one, 8-bit [H, W, 3], all of one size.
        columns: pictures per row.
    """
    columns = min(columns, len(pictures))
    rows = []
    for start in range(0, len(pictures), columns):
        shown = pictures[start : start + columns]
        rows.append(SheetRow(f"{start} to {start + len(shown) - 1}", tuple(shown)))
    return draw_sheet(title, [""] * columns, [rows], _tile(pictures[0].shape[1]))


def _tile(width: int) -> int:
    return max(TILE, min(LARGEST_TILE, width))
