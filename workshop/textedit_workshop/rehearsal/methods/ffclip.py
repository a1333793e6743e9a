"""FFCLIP in the dress rehearsal: the authors' files, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_methods.ffclip.card import CARD
from textedit_workshop.rehearsal.filling import fill, prefixed, shapes_of
from textedit_workshop.rehearsal.layouts.stylegan2 import generator_state
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The whole model as its distributed training saved it, the frozen generator and the unused ``fc`` among it."""
    from textedit_methods.ffclip.network import DynamicMapper

    with torch.device("meta"):
        shapes = shapes_of(DynamicMapper(sizes.rows, sizes.w_dim).state_dict().items())
    blocks = sorted({name.split(".")[1] for name in shapes})
    for block in blocks:
        shapes |= {
            f"att_mapper.{block}.fc.weight": (sizes.w_dim, sizes.w_dim),
            f"att_mapper.{block}.fc.bias": (sizes.w_dim,),
        }
    state = prefixed("module.att_mapper.", fill(shapes, salt))
    state |= prefixed("module.generator.", generator_state(sizes, salt))
    torch.save({"state_dict": state, "opts": {"stylegan_size": sizes.resolution}}, path)


PART = Part(
    training={"epochs": 2, "steps_per_epoch": 1, "batch_size": 1},
    released={dataset: {asset: write for asset in assets} for dataset, assets in CARD.released.get("full", {}).items()},
)
