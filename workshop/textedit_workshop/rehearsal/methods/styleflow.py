"""StyleFlow in the dress rehearsal: the authors' file of faces, told what photos show, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml

from textedit_methods.styleflow.card import CARD
from textedit_methods.styleflow.published import ATTRIBUTES, LIGHT, WIDTH
from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes

_LAYERS = 6


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The bare state dict, with the counters that nobody reads."""
    dim, told = sizes.w_dim, 1 + WIDTH
    shapes: dict[str, tuple[int, ...]] = {"chain.1.sqrt_end_time": (), "chain.1.odefunc._num_evals": ()}
    for norm in (0, 2):
        shapes |= {f"chain.{norm}.{name}": (dim,) for name in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"chain.{norm}.step"] = (1,)
    for layer in range(_LAYERS):
        name = f"chain.1.odefunc.diffeq.layers.{layer}"
        shapes |= {f"{name}._layer.weight": (dim, dim), f"{name}._layer.bias": (dim,)}
        shapes |= {f"{name}._hyper_gate.weight": (dim, told), f"{name}._hyper_gate.bias": (dim,)}
        shapes[f"{name}._hyper_bias.weight"] = (dim, told)
    state = fill(shapes, salt)
    torch.save({**state, "chain.1.sqrt_end_time": torch.tensor(1.0)}, path)


def write_conditions(path: Path, sizes: Sizes, salt: str) -> None:
    """One condition for all photos: a woman of 30 who looks straight ahead."""
    photo = {"light": [0.85, *[0.0] * (LIGHT - 1)], **dict.fromkeys(ATTRIBUTES, 0.0), "age": 30.0}
    path.write_text(yaml.safe_dump({"*": photo}), encoding="utf-8")


_PHRASE = "wearing glasses"

PART = Part(
    edit_files={"contexts": write_conditions},
    training={"samples": 8, "batch_size": 2, "steps": 2, "steps_per_validation": 1},
    released={"ffhq": {asset: write for asset in CARD.released["full"]["ffhq"]}},
    phrases={"ffhq": _PHRASE},
)
