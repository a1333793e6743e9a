"""StyleSpace in the dress rehearsal: the authors' statistics and regions, a text's channel by a few samples."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from textedit_workshop.rehearsal.filling import value
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes

_REGIONS = 11


def write(folder: Path, sizes: Sizes, salt: str) -> None:
    """``S_mean_std`` and ``semantic_top_32``: lists of one array per style layer, toRGB's included."""
    folder.mkdir(exist_ok=True)
    widths = [width for width, _ in sizes.style_layers]
    mean = [1 + 0.4 * value(f"mean.{layer}", (width,), salt) for layer, width in enumerate(widths)]
    std = [0.1 + abs(value(f"std.{layer}", (width,), salt)) for layer, width in enumerate(widths)]
    (folder / "S_mean_std").write_bytes(pickle.dumps([mean, std], protocol=2))
    shares = [value(f"regions.{layer}", (width, _REGIONS), salt) for layer, width in enumerate(widths)]
    regions = [np.where(share.argmax(1)[:, None] == np.arange(_REGIONS), 0.8, 0.02) for share in shares]
    (folder / "semantic_top_32").write_bytes(pickle.dumps(regions, protocol=2))


PART = Part(edit={"samples": 6, "share": 0.5, "region": 2}, edit_files={"official": write})
