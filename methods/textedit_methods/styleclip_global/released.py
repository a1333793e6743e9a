"""Read the released relevances of one generator, ``fs3.npy``, without executing anything."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.released import read_matrix


def read_rows(path: Path, widths: list[tuple[int, bool]]) -> Tensor:
    """Read relevance rows [N, d] of the N editable channels; missing ones are zeros.

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
