"""PPE in the dress rehearsal: the authors' file as PaddlePaddle pickles it, and a training of two steps."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from textedit_methods.ppe.card import CARD
from textedit_workshop.rehearsal.filling import fill, shapes_of
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The arrays of a levels mapper, weights [in, out], beside the names that PaddlePaddle gave them."""
    from textedit_bench.latent_mapper.network import LevelsMapper

    with torch.device("meta"):
        shapes = shapes_of(LevelsMapper(sizes.w_dim).state_dict().items())
    arrays = {
        name: value.numpy().T.copy() if name.endswith(".weight") else value.numpy()
        for name, value in fill(shapes, salt).items()
    }
    names = {name: f"linear_{number}" for number, name in enumerate(arrays)}
    path.write_bytes(pickle.dumps({**arrays, "StructuredToParameterName@@": names}, protocol=4))


_ASSETS = CARD.released["full"]["ffhq"]

PART = Part(
    training={"steps": 2, "steps_per_validation": 1, "batch_size": 1, "validation_codes": 1, "pictures": 4},
    released={"ffhq": {asset: write for asset in _ASSETS}},
    phrases={"ffhq": "bangs"},
)
