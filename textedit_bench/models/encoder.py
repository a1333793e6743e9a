"""e4e and pSp encoders: a feature pyramid on IR-SE50 and one small head per W+ row.

Sources: Tov et al. 2021 (e4e), arXiv 2102.02766; Richardson et al. 2021 (pSp), arXiv 2008.00951.
Names are those of the published checkpoints, relative to their `encoder.` prefix.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.irse import body, input_layer
from textedit_bench.models.layers import EqualLinear
from textedit_bench.models.storage import StoredNetwork

COARSE_ROWS, MIDDLE_ROWS = 3, 7
TAPS = (6, 20, 23)
HeadMode = Literal["e4e", "psp"]


class StyleHead(nn.Module):
    """Strided convolutions down to one pixel, then an equalised linear layer: (B, 512, S, S') -> (B, w_dim)."""

    def __init__(self, side: int, w_dim: int):
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(int(math.log2(side))):
            layers += [nn.Conv2d(512 if index == 0 else w_dim, w_dim, 3, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(w_dim, w_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map feature maps (B, 512, side, side) to (B, w_dim)."""
        x = self.convs(x)
        if x.shape[-2:] != (1, 1):
            raise ValueError(f"a style head ended at {tuple(x.shape[-2:])} instead of one pixel: wrong input size")
        return self.linear(x.flatten(1))


class StyleEncoder(StoredNetwork):
    """Encoder of pictures to W+ codes.

    Args:
        rows: W+ rows (18, 16, 14 for generators of 1024, 512, 256).
        mode: "e4e": row 0 is the base and every other row adds its own offset; "psp": every row stands alone.
        w_dim: width of W.
        input_size: height and width the network takes: (256, 256), cars (192, 256).
        add_average: the published network adds `latent_avg` to its codes (`start_from_latent_avg`).

    Attributes:
        latent_avg: buffer (rows, w_dim), outside `state_dict` (whose keys are the official ones).
    """

    extra_tensors: ClassVar[dict[str, str]] = {"latent_avg": "latent_avg"}
    latent_avg: Tensor

    def __init__(
        self,
        rows: int,
        mode: HeadMode = "e4e",
        w_dim: int = 512,
        input_size: tuple[int, int] = (256, 256),
        add_average: bool = True,
    ):
        super().__init__()
        if mode not in ("e4e", "psp"):
            raise ValueError(f"mode {mode!r} is none of 'e4e', 'psp'")
        self.rows, self.mode, self.w_dim, self.add_average = rows, mode, w_dim, add_average
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.input_layer, self.body = input_layer(), body()
        sides = [16 if row < COARSE_ROWS else 32 if row < MIDDLE_ROWS else 64 for row in range(rows)]
        self.styles = nn.ModuleList(StyleHead(side, w_dim) for side in sides)
        self.latlayer1 = nn.Conv2d(256, 512, 1)
        self.latlayer2 = nn.Conv2d(128, 512, 1)
        self.register_buffer("latent_avg", torch.zeros(rows, w_dim), persistent=False)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute three feature maps: 128, 256 and 512 channels at 1/4, 1/8 and 1/16 of the input size."""
        x, taps = self.input_layer(images), []
        for index, block in enumerate(self.body):
            x = block(x)
            if index in TAPS:
                taps.append(x)
        return taps[0], taps[1], taps[2]

    def forward(self, images: Tensor, stage: int | None = None) -> Tensor:
        """Compute codes (B, rows, w_dim) without the average, of pictures at `input_size` in [-1, 1].

        Args:
            stage: e4e's progressive training stage: rows above it get no offset. None, as in inference, means all rows.
        """
        fine, middle, coarse = self.features(images)
        middle = _resize(coarse, middle) + self.latlayer1(middle)
        used = self.rows if stage is None or self.mode == "psp" else min(stage + 1, self.rows)
        if used > MIDDLE_ROWS:
            fine = _resize(middle, fine) + self.latlayer2(fine)
        source = [coarse if row < COARSE_ROWS else middle if row < MIDDLE_ROWS else fine for row in range(used)]
        codes = [head(x) for head, x in zip(self.styles, source, strict=False)]
        if self.mode == "psp":
            return torch.stack(codes, dim=1)
        offsets = [torch.zeros_like(codes[0]), *codes[1:]] + [torch.zeros_like(codes[0])] * (self.rows - used)
        return codes[0].unsqueeze(1) + torch.stack(offsets, dim=1)

    def prepare(self, images: Tensor) -> Tensor:
        """Resize pictures to (B, 3, H, W) at `input_size`, antialiased bilinear, ignoring the aspect ratio.

        A square picture for an oblong encoder (cars: 512x512 with black bars) loses the bars first: rows 64:448 of 512.
        """
        height, width = self.input_size
        if images.shape[2] == images.shape[3] and height < width:
            side = images.shape[2]
            bar = side * (width - height) // (2 * width)
            images = images[:, :, bar : side - bar]
        if tuple(images.shape[-2:]) == self.input_size:
            return images
        return F.interpolate(images, size=self.input_size, mode="bilinear", align_corners=False, antialias=True)

    def encode(self, images: Tensor) -> Tensor:
        """Invert pictures (B, 3, H, W) in [-1, 1], aligned for the domain, to W+ (B, rows, w_dim), average added."""
        codes = self(self.prepare(images))
        return codes + self.latent_avg if self.add_average else codes


def _resize(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)
