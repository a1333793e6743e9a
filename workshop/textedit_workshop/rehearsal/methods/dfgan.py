"""DF-GAN in the dress rehearsal: the faces' layout of 2020 with a text encoder, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_methods.dfgan.card import RELEASED_FILES
from textedit_workshop.rehearsal.filling import fill, shapes_of
from textedit_workshop.rehearsal.layouts.captions import write_text_encoder, write_vocabulary
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes

_OLD_NAMES = {
    "GBlocks.": "block",
    "fuse1.affine0": "affine0",
    "fuse1.affine1": "affine1",
    "fuse2.affine0": "affine2",
    "fuse2.affine1": "affine3",
    "to_rgb": "conv_img",
}


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The bare state dict of 2020, of the published widths; 256 pixels, or those of smaller networks."""
    from textedit_methods.dfgan.network import Generator, generator_widths

    widths = generator_widths(32, min(256, sizes.resolution))
    with torch.device("meta"):
        shapes = shapes_of(Generator([widths[0], *widths], 100, 256, "v1", 256).state_dict().items())
    state = {}
    for name, value in fill(shapes, salt).items():
        for ours, theirs in _OLD_NAMES.items():
            name = name.replace(ours, theirs)
        state[name] = value
    torch.save(state, path)


PART = Part(
    generates=True,
    training={"batch_size": 2, "captions": 2, "steps": 2, "steps_per_validation": 1},
    released={"ffhq": dict(zip(RELEASED_FILES, (write, write_text_encoder, write_vocabulary), strict=True))},
    phrases={"ffhq": "Blond hair"},
)
