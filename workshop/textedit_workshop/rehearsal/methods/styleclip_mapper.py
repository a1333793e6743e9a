"""StyleCLIP's mapper in the dress rehearsal: the authors' file of one phrase, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_methods.styleclip_mapper.card import RELEASED_PREFIX
from textedit_workshop.rehearsal.filling import fill, prefixed, shapes_of
from textedit_workshop.rehearsal.layouts.stylegan2 import generator_state
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes

_PHRASE = "curly hair"


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """A mapper of coarse and medium rows beside the generator, as released for hair."""
    from textedit_bench.latent_mapper.network import LevelsMapper

    with torch.device("meta"):
        shapes = shapes_of(LevelsMapper(sizes.w_dim, ["coarse", "medium"]).state_dict().items())
    options = {"no_coarse_mapper": False, "no_medium_mapper": False, "no_fine_mapper": True, "description": _PHRASE}
    state = prefixed("mapper.", fill(shapes, salt)) | prefixed("decoder.", generator_state(sizes, salt))
    torch.save({"state_dict": state, "opts": {**options, "stylegan_size": sizes.resolution}}, path)


PART = Part(
    training={"steps": 2, "steps_per_validation": 1, "batch_size": 1, "validation_codes": 1},
    released={"ffhq": {f"{RELEASED_PREFIX}{_PHRASE.replace(' ', '-')}": write}},
    phrases={"ffhq": _PHRASE},
)
