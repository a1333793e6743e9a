"""Read ``S_mean_std``, released statistics of style channels, without executing anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.pickles import read_pickle

STATISTICS = "S_mean_std"


def read_layers(path: Path) -> tuple[list[Tensor], list[Tensor]]:
    """Read mean and standard deviation of every channel, one float32 vector per style layer, toRGB included.

    The pickle holds two lists, means and deviations.

    Raises:
        CheckpointError: the file is missing or damaged, asks for code, or holds something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as stream:
        content = read_pickle(stream, str(path))
    if not isinstance(content, (list, tuple)) or len(content) != 2:
        raise CheckpointError(f"{path}: expected two lists, the means and the standard deviations")
    mean, std = (_vectors(path, part) for part in content)
    if [len(layer) for layer in mean] != [len(layer) for layer in std]:
        raise CheckpointError(f"{path}: means and standard deviations are of other layers")
    return mean, std


def read_statistics(path: Path, widths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Read mean and standard deviation of every channel of a generator, [all], toRGB included.

    Args:
        path: of ``S_mean_std``.
        widths: channels of the generator's style layers, in order.

    Raises:
        CheckpointError: as `read_layers`, or the file is another generator's.
    """
    mean, std = read_layers(path)
    if len(mean) != len(widths):
        raise CheckpointError(f"{path}: {len(mean)} layers; this generator has {len(widths)} style layers")
    for number, (layer, width) in enumerate(zip(mean, widths, strict=True)):
        if len(layer) != width:
            raise CheckpointError(f"{path}: style layer {number} needs {width} finite numbers, has {len(layer)}")
    return torch.cat(mean), torch.cat(std)


def _vectors(path: Path, part: Any) -> list[Tensor]:
    if not isinstance(part, (list, tuple)):
        raise CheckpointError(f"{path}: no layers; expected one array for each")
    arrays = [np.asarray(values) for values in part]
    for number, array in enumerate(arrays):
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise CheckpointError(f"{path}: style layer {number} has values other than finite numbers")
    return [torch.from_numpy(array.astype(np.float32).reshape(-1)) for array in arrays]
