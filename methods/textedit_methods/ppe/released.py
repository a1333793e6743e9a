"""Read PPE's released mappers: PyTorch's layout, StyleCLIP's with an unused ``alpha``, and PaddlePaddle's.

The latter is a pickled dictionary of numpy arrays. PaddlePaddle keeps weights as [in, out], and those of the mapper
are square, so that nothing but the kind of the file tells that they have to be transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from textedit_bench.latent_mapper.released import layout


def _from_paddle(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.T if name.endswith(".weight") else array


RELEASED = layout("PPE", _from_paddle)
