"""GANSpace in the dress rehearsal: the authors' npz of components, of which a text picks one by a picture of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from textedit_workshop.rehearsal.filling import value
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes

_COMPONENTS = 4  # published: 80, of which every one is drawn eight times


def write(path: Path, sizes: Sizes, salt: str) -> None:
    """The arrays of the released decomposition with ``use_w``: those of activations and latents are the same."""
    draws = value("components", (sizes.w_dim, _COMPONENTS), salt)
    comp = np.linalg.qr(draws)[0].T.astype(np.float32)[:, None]
    mean = 0.5 * value("mean", (1, sizes.w_dim), salt)
    stdev = np.sort(1 + abs(value("stdev", (_COMPONENTS,), salt)))[::-1].astype(np.float32)
    ratio, random = stdev**2 / sizes.w_dim, np.ones(_COMPONENTS, np.float32)
    both: dict[str, Any] = {
        f"{kind}_{name}": array for kind in ("act", "lat") for name, array in (("comp", comp), ("mean", mean))
    }
    with path.open("wb") as file:
        np.savez_compressed(file, **both, act_stdev=stdev, lat_stdev=stdev, var_ratio=ratio, random_stdevs=random)


PART = Part(edit={"images": 1}, edit_files={"file": write})
