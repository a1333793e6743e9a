"""Crop a picture of any size to the square canvas on which a generator was trained.

Source: the data preparation of the published StyleGAN2 networks (NVlabs/stylegan2, data set tool).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from textedit_bench.data.card import CropKind
from textedit_bench.data.decode import UnusableImageError


@dataclass(frozen=True)
class Crop:
    """Rule by which a picture is cropped and resized.

    Attributes:
        kind: ``none``: the picture has the right size already; ``square``: central square, as FFHQ-like, cat and
            church sets are prepared; ``wide``: central part of the canvas's proportions; ``wide-published``: what the
            published car network was trained on. There the number of rows to keep is computed in scaled pixels but cut
            from the unscaled picture, so pictures other than 512 pixels wide come out distorted, and so did its
            training set.
        side: side of the square canvas in pixels.
        height: rows of picture, centred between black bars; ``side`` if None.
        min_side: pictures whose shorter side has fewer pixels are skipped.
    """

    kind: CropKind
    side: int
    height: int | None = None
    min_side: int = 1

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Crop and resize a picture to the canvas: 8-bit [side, side, 3].

        Raises:
            UnusableImageError: the picture is too small, or has another size although nothing is cropped.
        """
        if min(image.size) < self.min_side:
            raise UnusableImageError(f"{image.width}x{image.height}; the shorter side needs {self.min_side} pixels")
        size = (self.side, self.height or self.side)
        part = self._part(image, size)
        if part.size != size:
            part = part.resize(size, Image.Resampling.LANCZOS)
        canvas = np.zeros((self.side, self.side, 3), np.uint8)
        top = (self.side - size[1]) // 2
        canvas[top : top + size[1]] = np.asarray(part)
        return canvas

    def _part(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        if self.kind == "none":
            if image.size == (self.side, self.side) and size != image.size:
                top = (self.side - size[1]) // 2  # a canvas with its bars
                return image.crop((0, top, self.side, top + size[1]))
            if image.size != size:
                raise UnusableImageError(f"{image.width}x{image.height}; expected {size[0]}x{size[1]}")
            return image
        if self.kind == "wide-published":
            return _published_wide(image, size)
        width, height = image.size
        if width * size[1] > height * size[0]:
            width = max(1, round(height * size[0] / size[1]))
        else:
            height = max(1, round(width * size[1] / size[0]))
        return _centre(image, width, height)


def _published_wide(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    rows = round(size[0] * image.height / image.width)
    if image.width < size[0] or rows < size[1]:
        raise UnusableImageError(f"{image.width}x{image.height}; too small or too wide for {size[0]}x{size[1]}")
    top, bottom = max((image.height - rows) // 2, 0), min((image.height + rows) // 2, image.height)
    return image.crop((0, top, image.width, bottom))


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
