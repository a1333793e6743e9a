"""DeltaEdit in the dress rehearsal: the authors' mapper of faces, and a training of two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from textedit_methods.deltaedit.card import CARD
from textedit_workshop.rehearsal.filling import fill, shapes_of, value
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The bare state dict of the mapper."""
    from textedit_methods.deltaedit.network import DeltaMapper, split_widths

    with torch.device("meta"):
        mapper = DeltaMapper(split_widths(sizes.edited_channels), 2 * sizes.clip.embed_dim)
    torch.save(fill(shapes_of(mapper.state_dict().items()), salt), path)


def write_relevance(path: Path, sizes: Sizes, salt: str) -> None:
    """A relevance matrix as StyleCLIP ships it: one unit row for every channel of a convolution."""
    rows = value("relevance", (sum(sizes.edited_channels), sizes.clip.embed_dim), salt)
    with path.open("wb") as file:
        np.save(file, rows / np.linalg.norm(rows, axis=1, keepdims=True))


_WEIGHTS, _RELEVANCE = CARD.released["full"]["ffhq"]

PART = Part(
    # Rows of noise are nearly orthogonal to any text: the published threshold of 0.03 would leave no channel.
    edit={"threshold": 0.01},
    training={"num_samples": 2, "num_photos": 4, "batch_size": 2, "steps": 2, "steps_per_validation": 1},
    # The sweep renders every channel twice: hours without an accelerator.
    training_files={"relevance_file": write_relevance},
    released={"ffhq": {_WEIGHTS: write, _RELEVANCE: write_relevance}},
)
