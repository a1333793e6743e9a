"""The released files of one generator: ``fs3.npy`` and ``S_mean_std``, read without executing anything."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.matrix_file import read_matrix
from textedit_bench.models.pickles import read_pickle

STATISTICS = "S_mean_std"


def read_rows(path: Path, widths: list[tuple[int, bool]]) -> Tensor:
    """Relevance rows [N, d] of the N editable channels; missing ones are zeros.

    Args:
        path: of ``fs3.npy``.
        widths: channels and is-toRGB of the generator's style layers, in order.

    Raises:
        CheckpointError: the file is missing or damaged, or its rows do not end where a layer of the generator does.
    """
    rows = read_matrix(path)
    # The released script stops after the layers up to 128 pixels: a file may end at the end of any layer.
    ends = list(accumulate(width for width, is_rgb in widths if not is_rgb))
    if len(rows) not in ends:
        raise CheckpointError(
            f"{path}: {len(rows)} rows; this generator's editable layers end at {', '.join(map(str, ends))}"
        )
    padded = torch.zeros(ends[-1], rows.shape[1])
    padded[: len(rows)] = rows
    return padded


def read_statistics(path: Path, widths: list[tuple[int, bool]]) -> tuple[Tensor, Tensor]:
    """Mean [N] and standard deviation [N] of the N editable channels.

    The pickle holds two lists, means and deviations, with one array per style layer, toRGB included.

    Raises:
        CheckpointError: the file is missing or damaged, asks for code, or has other sizes than the generator.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; the released fs3.npy needs its {STATISTICS} beside it")
    with path.open("rb") as stream:
        content = read_pickle(stream, str(path))
    if not isinstance(content, (list, tuple)) or len(content) != 2:
        raise CheckpointError(f"{path}: expected two lists, the means and the standard deviations")
    mean, std = (_concatenate(path, part, widths) for part in content)
    return mean, std


def _concatenate(path: Path, part: Any, widths: list[tuple[int, bool]]) -> Tensor:
    if not isinstance(part, (list, tuple)) or len(part) != len(widths):
        count = len(part) if isinstance(part, (list, tuple)) else "no"
        raise CheckpointError(f"{path}: {count} layers; this generator has {len(widths)} style layers")
    kept = []
    for number, (values, (width, is_rgb)) in enumerate(zip(part, widths, strict=True)):
        array = np.asarray(values)
        if array.dtype.kind != "f" or array.size != width or not np.isfinite(array).all():
            raise CheckpointError(f"{path}: style layer {number} needs {width} finite numbers, has {array.size}")
        if not is_rgb:
            kept.append(torch.from_numpy(array.astype(np.float32).reshape(-1)))
    return torch.cat(kept)
