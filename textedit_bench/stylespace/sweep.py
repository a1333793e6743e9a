"""Compute channel relevance by the published sweep: change one channel at a time and embed the pictures by CLIP.

Source: arXiv 2103.17249, section 6.2.

Rows are exact: only what a channel cannot change is shared. The layers before the channel's own are run once per image
and layer, for all of its channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.levels import from_levels, to_levels
from textedit_bench.stylespace.statistics import Statistics, editable

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.stylegan2 import Generator


@dataclass(frozen=True)
class Features:
    """The features passed between style layers.

    Attributes:
        x: [B, C, H, W].
        rgb: colours so far [B, 3, H, W]; None before the first toRGB.
    """

    x: Tensor
    rgb: Tensor | None

    def repeated(self, times: int) -> Features:
        """Repeat the batch ``times`` times."""
        rgb = None if self.rgb is None else self.rgb.repeat(times, 1, 1, 1)
        return Features(self.x.repeat(times, 1, 1, 1), rgb)


def start(generator: Generator, batch: int) -> Features:
    """Return the features before the first layer."""
    constant = generator.input.input.expand(batch, -1, -1, -1)
    return Features(constant.contiguous(memory_format=torch.channels_last), None)


def run(generator: Generator, features: Features, styles: Tensor, first: int, end: int | None = None) -> Features:
    """Run style layers ``first .. end`` (all remaining ones if None) with the stored noise.

    Equal to the generator's ``synthesize_style`` when run from `start` to the end.

    Args:
        features: before layer ``first``.
        styles: whole style codes [B, styles]; those of other layers are not read.
    """
    widths = [layer.channels for layer in generator.style_layout]
    vectors = styles.split(widths, dim=1)
    x, rgb = features.x, features.rgb
    for position, layer in list(enumerate(generator.style_layout))[first:end]:
        module = generator.get_submodule(layer.layer)
        if layer.is_rgb:
            rgb = module(x, vectors[position], rgb)
        else:
            number = sum(not before.is_rgb for before in generator.style_layout[:position])
            x = module(x, vectors[position], generator.noises.get_buffer(f"noise_{number}"))
    return Features(x, rgb)


Variant = Literal["correct", "released"]

RELEASED_LAST_LAYER = 16
"""The released script stops after this style layer (128 pixels); the rows of later layers are zeros."""


@dataclass
class Progress:
    """The state of a sweep, sufficient to resume it.

    Attributes:
        sums: sum over the images of the unit differences of each channel, float64 [N, d].
        layer: style layer that is being swept.
        image: images of it that are done.
        row: channels of it that are done for the images after those.
    """

    sums: Tensor
    layer: int = 0
    image: int = 0
    row: int = 0


def unit_differences(minus: Tensor, plus: Tensor) -> Tensor:
    """Compute the direction from one picture to the other in CLIP's space.

    Args:
        minus, plus: raw embeddings [..., d].

    Returns:
        Unit vectors [..., d]; zeros where the two pictures are the same.
    """
    return F.normalize(F.normalize(plus, dim=-1) - F.normalize(minus, dim=-1), dim=-1)


def rows_of(sums: Tensor) -> Tensor:
    """Compute unit rows, float32, from sums of unit differences [N, d]; zeros stay."""
    return F.normalize(sums.double(), dim=-1).float()


@torch.no_grad()
def sweep(
    generator: Generator,
    clip: ClipModel,
    styles: Tensor,
    statistics: Statistics,
    *,
    width: float = 5.0,
    variant: Variant = "correct",
    progress: Progress | None = None,
    checkpoint: Callable[[Progress], None] = lambda _: None,
) -> Tensor:
    """Compute the relevance matrix, unit rows [N, d], on the CPU.

    Args:
        generator, clip: frozen.
        styles: base images [n, styles].
        statistics: of the N editable channels.
        width: each channel is set to its mean plus and minus this many standard deviations, around the MEAN and not
            around the image's own value.
        variant: ``"released"`` repeats two accidents of the released script: a swept channel keeps its mean in all base
            images for the rest of the sweep, and layers after the 17th style layer are left out (rows of zeros).
        progress: of an earlier call with the same arguments.
        checkpoint: called now and then with where the sweep stands.
    """
    done = progress or Progress(torch.zeros(len(statistics.mean), clip.embed_dim, dtype=torch.float64))
    done.sums = done.sums.to(styles.device)
    positions = editable(generator)
    for number, first_row, channels in _swept_layers(generator, variant):
        if number < done.layer:
            continue
        if number > done.layer:
            done.layer, done.image, done.row = number, 0, 0
        base = styles[done.image :].clone()
        if not len(base):  # of a sweep that had come to the end of a layer
            continue
        if variant == "released":
            base[:, positions[:first_row]] = statistics.mean[:first_row].to(base)
        for part in base.split(_images_at_once(generator.resolution, styles.device)):
            before = run(generator, start(generator, len(part)), part, 0, number).repeated(2)
            if variant == "released":
                swept = slice(first_row, first_row + done.row)
                part[:, positions[swept]] = statistics.mean[swept].to(part)
            for row in range(first_row + done.row, first_row + channels):
                mean, reach = float(statistics.mean[row]), width * float(statistics.std[row])
                pushed = part.repeat(2, 1)
                pushed[: len(part), positions[row]] = mean - reach
                pushed[len(part) :, positions[row]] = mean + reach
                minus, plus = _look(generator, clip, before, pushed, number).chunk(2)
                done.sums[row] += unit_differences(minus, plus).double().sum(0)
                if variant == "released":
                    part[:, positions[row]] = mean
                done.row += 1
                if done.row < channels:  # a layer of a large generator takes minutes per image
                    checkpoint(done)
            done.image, done.row = done.image + len(part), 0
            checkpoint(done)
    return rows_of(done.sums).cpu()


def _swept_layers(generator: Generator, variant: Variant) -> Iterator[tuple[int, int, int]]:
    """Return style layer, its first row of the matrix, and its channels, for every swept layer."""
    row = 0
    for number, layer in enumerate(generator.style_layout):
        if layer.is_rgb:
            continue
        if variant == "correct" or number <= RELEASED_LAST_LAYER:
            yield number, row, layer.channels
        row += layer.channels


def _images_at_once(resolution: int, device: torch.device) -> int:
    """Return the batch size: small batches fit into a CPU's cache, a GPU needs large ones."""
    pixels = 1 << (24 if device.type == "cuda" else 18)
    return max(1, pixels // (2 * resolution**2))


def _look(generator: Generator, clip: ClipModel, before: Features, styles: Tensor, first: int) -> Tensor:
    """Compute raw embeddings of the 8-bit pictures from layers ``first`` on, preprocessed for CLIP."""
    images = run(generator, before, styles, first).rgb
    assert images is not None
    embeddings: Tensor = clip.encode_image(from_levels(to_levels(images)), preprocessing="correct")
    return embeddings
