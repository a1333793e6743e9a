"""Show validation edits as picture grids, in the run's folder and in an online log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from PIL import Image, ImageDraw
from pytorch_lightning.loggers import WandbLogger
from torch import Tensor

from textedit_bench.data.lettering import letters
from textedit_bench.data.pixels import save_picture
from textedit_bench.levels import to_levels

_HEADER = 14
_LETTERS = 10
_SMALLEST_SIDE = 96


def picture_grid(titles: Sequence[str], images: Tensor) -> Image.Image:
    """Draw one picture of images [rows, columns, 3, H, W] in [-1, 1] under column titles; small ones are enlarged."""
    rows, columns, _, height, width = images.shape
    factor = max(1, -(-_SMALLEST_SIDE // width))
    pixels = to_levels(images).cpu()
    flat = pixels.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3)
    body = Image.fromarray(flat.numpy()).resize(
        (columns * width * factor, rows * height * factor), Image.Resampling.NEAREST
    )
    sheet = Image.new("RGB", (body.width, body.height + _HEADER), "white")
    sheet.paste(body, (0, _HEADER))
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        room = width * factor
        shown, font = letters(title, _LETTERS)
        while shown and pen.textlength(shown, font) > room - 4:
            shown = shown[:-1]
        pen.text((column * room + 2, 1), shown, fill="black", font=font)
    return sheet


class PictureLog(pl.Callback):
    """Writes ``pictures/epoch-NNN.png`` after every validation of a module with previews."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "pictures"

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Draw the module's preview."""
        preview = getattr(module, "preview", None)
        if preview is None or not trainer.is_global_zero or trainer.sanity_checking:
            return
        with torch.no_grad():
            drawn = preview()
        if drawn is None:
            return
        sheet = picture_grid(*drawn)
        self.folder.mkdir(parents=True, exist_ok=True)
        save_picture(sheet, self.folder / f"epoch-{trainer.current_epoch + 1:03d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("validation edits", [sheet], step=trainer.global_step)
