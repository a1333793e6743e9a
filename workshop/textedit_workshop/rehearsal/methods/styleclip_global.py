"""StyleCLIP's global directions in the dress rehearsal: the authors' matrix, gradients, and seconds of the sweep."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textedit_methods.styleclip_global.card import CARD
from textedit_workshop.rehearsal.filling import value
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """``fs3.npy``: one unit row for every channel of a convolution."""
    rows = value("relevance", (sum(sizes.edited_channels), sizes.clip.embed_dim), salt)
    with path.open("wb") as file:
        np.save(file, rows / np.linalg.norm(rows, axis=1, keepdims=True))


PART = Part(
    # Rows of noise are nearly orthogonal to any text: the published threshold of 0.15 would leave no channel.
    edit={"beta": 0.05},
    untrained={"relevance": "gradient", "probes": 2, "gradient_images": 1},
    training={"images": 2, "samples": 2000},
    endless=True,
    released={dataset: {asset: write for asset in assets} for dataset, assets in CARD.released["full"].items()},
)
