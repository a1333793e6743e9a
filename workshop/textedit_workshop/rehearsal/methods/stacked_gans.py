"""AttnGAN, ControlGAN and DM-GAN in the dress rehearsal: generators of the published sizes, one caption."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from textedit_bench.info import MethodInfo
from textedit_methods.stacked_gans.card import ATTNGAN, CONTROLGAN, DMGAN
from textedit_methods.stacked_gans.network import (
    AttnGenerator,
    ControlGenerator,
    MemoryGenerator,
    Sizes,
    StackedGenerator,
)
from textedit_workshop.rehearsal.filling import fill, shapes_of
from textedit_workshop.rehearsal.layouts.captions import write_text_encoder, write_vocabulary
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes as NetworkSizes

_MAPS = {2: 64**2, 3: 128**2}
"""Stage -> places of its features."""


def _write(kind: type[StackedGenerator], features: int, path: Path, _sizes: NetworkSizes, salt: str) -> None:
    """The bare state dict, with the maps that ControlGAN never reads."""
    sizes = Sizes(features=features, words=256, condition=100, noise=100, residuals=2, stages=3)
    with torch.device("meta"):
        shapes = shapes_of(kind(sizes).state_dict().items())
    for stage in _MAPS if kind is ControlGenerator else ():
        del shapes[f"h_net{stage}.channel_att.conv_context.weight"]
        for part in ("att", "channel_att"):
            for other, places in _MAPS.items():
                shapes[f"h_net{stage}.{part}.conv_context{other}.weight"] = (places, sizes.words, 1, 1)
    torch.save(fill(shapes, salt), path)


def _part(card: MethodInfo, kind: type[StackedGenerator], features: int) -> Part:
    writers = (partial(_write, kind, features), write_text_encoder, write_vocabulary)
    return Part(
        datasets=("ffhq",),
        generates=True,
        released={"ffhq": dict(zip(card.released["full"]["ffhq"], writers, strict=True))},
        phrases={"ffhq": "Blond hair"},
    )


ATTNGAN_PART = _part(ATTNGAN, AttnGenerator, 32)
CONTROLGAN_PART = _part(CONTROLGAN, ControlGenerator, 32)
DMGAN_PART = _part(DMGAN, MemoryGenerator, 64)
