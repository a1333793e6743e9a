"""ManiGAN in the dress rehearsal: both modules, image encoder and VGG-16 of the published sizes, one caption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from textedit_bench.models.damsm_image import ImageEncoder
from textedit_methods.manigan.card import CARD
from textedit_methods.manigan.network import Correction, MainModule
from textedit_workshop.rehearsal.filling import fill, shapes_of
from textedit_workshop.rehearsal.layouts.captions import write_text_encoder, write_vocabulary
from textedit_workshop.rehearsal.layouts.judges import write_vgg
from textedit_workshop.rehearsal.part import Part, Writer
from textedit_workshop.rehearsal.sizes import Sizes

_WIDTHS = {"features": 32, "words": 256, "residuals": 2}
_MAPS = {2: 64**2, 3: 128**2}
"""Stage -> places of its features."""


def _write(make: Callable[[], nn.Module]) -> Writer:
    """Write a bare state dict; the main module's with the maps that it never reads."""

    def write(path: Path, _sizes: Sizes, salt: str) -> None:
        with torch.device("meta"):
            shapes = shapes_of(make().state_dict().items())
        for stage in _MAPS:
            if shapes.pop(f"h_net{stage}.channel_att.conv_context.weight", None):
                maps = {other: (places, _WIDTHS["words"], 1, 1) for other, places in _MAPS.items()}
                shapes |= {f"h_net{stage}.channel_att.conv_context{other}.weight": of for other, of in maps.items()}
        torch.save(fill(shapes, salt), path)

    return write


_WRITERS = (
    _write(lambda: MainModule(condition=100, noise=100, **_WIDTHS)),
    _write(lambda: Correction(**_WIDTHS)),
    _write(ImageEncoder),
    write_vgg,
    write_text_encoder,
    write_vocabulary,
)

PART = Part(
    datasets=("ffhq",),
    released={"ffhq": dict(zip(CARD.released["full"]["ffhq"], _WRITERS, strict=True))},
    phrases={"ffhq": "Blond hair"},
)
