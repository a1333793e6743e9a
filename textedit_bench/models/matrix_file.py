"""Read released matrices in numpy's format without executing anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError


def read_matrix(path: Path) -> Tensor:
    """Read the matrix of a ``.npy`` file, float32 [rows, columns] with at least one row.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(f"{path}: not an array of numbers ({str(error).splitlines()[0]})") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f" or not len(array):
        raise CheckpointError(f"{path}: expected a matrix of floating-point numbers")
    if not np.isfinite(array).all():
        raise CheckpointError(f"{path}: holds values that are not finite")
    return torch.from_numpy(array.astype(np.float32))
