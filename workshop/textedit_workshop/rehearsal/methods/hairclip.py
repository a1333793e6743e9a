"""HairCLIP in the dress rehearsal: the authors' file, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_methods.hairclip.card import CARD
from textedit_workshop.rehearsal.filling import fill, prefixed, shapes_of
from textedit_workshop.rehearsal.layouts.clip import clip_shapes
from textedit_workshop.rehearsal.layouts.stylegan2 import generator_state
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The mapper with CLIP in half precision inside it, the generator beside it, and the options."""
    from textedit_methods.hairclip.network import HairMapper

    with torch.device("meta"):
        shapes = shapes_of(HairMapper(sizes.w_dim, sizes.clip.embed_dim).state_dict().items())
    clip = {name: tensor.half() for name, tensor in fill(clip_shapes(sizes.clip), salt).items()}
    state = prefixed("mapper.", fill(shapes, salt)) | prefixed("mapper.clip_model.", clip)
    state |= prefixed("decoder.", generator_state(sizes, salt))
    torch.save({"state_dict": state, "opts": {"stylegan_size": sizes.resolution, "no_fine_mapper": False}}, path)


_PHRASE = "Blond hair"

PART = Part(
    training={"steps": 2, "steps_per_validation": 1, "validation_codes": 1},
    released={"ffhq": {asset: write for asset in CARD.released["full"]["ffhq"]}},
    phrases={"ffhq": _PHRASE},
    datasets=("ffhq",),
)
