"""Read the authors' codes and labels of 100,000 samples, and regions of channels, without executing anything."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError, unknown_choice
from textedit_bench.models.pickles import read_pickle
from textedit_bench.models.released import read_matrix

CODES, LABELS, REGIONS = "W.npy", "attribute", "semantic_top_32"
EXAMPLES = 1000
"""Images of the lowest logits that the authors take for examples of an attribute."""


def read_examples(folder: Path, label: str) -> Tensor:
    """Read W codes [up to 1,000, w_dim] of the samples with the most confident classifier scores.

    The published classifiers give the attribute's presence a NEGATIVE logit.

    Args:
        folder: with ``W.npy`` [N, w_dim] and ``attribute`` (CSV, one row of logits per code).
        label: a column of the CSV.

    Raises:
        CheckpointError: a file is missing, damaged, or they do not fit together.
        UserError: no such column.
    """
    codes, logits = read_matrix(folder / CODES), read_logits(folder / LABELS, label)
    if len(codes) != len(logits):
        raise CheckpointError(f"{folder / LABELS}: {len(logits)} rows for {len(codes)} codes of {CODES}")
    return codes[logits.argsort(stable=True)[:EXAMPLES]]


def read_logits(path: Path, label: str) -> Tensor:
    """Read one column [N] of the CSV of logits.

    Raises:
        CheckpointError: the file is missing, or the column holds something else than numbers.
        UserError: no such column.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            names = [name.strip() for name in next(rows, [])]
            if label not in names:
                raise unknown_choice(f"label in {path}", label, [name for name in names if name])
            column = names.index(label)
            values = torch.tensor([float(row[column]) for row in rows if row])
    except (UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise CheckpointError(f"{path}: expected a table of numbers with a line of names ({error})") from error
    if not torch.isfinite(values).all() or len(values) < 2:
        raise CheckpointError(f"{path}: column {label!r} needs finite numbers, at least two")
    return values


def read_regions(path: Path, widths: Sequence[int]) -> Tensor:
    """Read the share of images in which a channel changes a region most, [all, regions], from a pickled list per layer.

    Args:
        path: of ``semantic_top_32``.
        widths: channels of the generator's style layers.

    Raises:
        CheckpointError: the file is missing or damaged, asks for code, or is another generator's.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as stream:
        content = read_pickle(stream, str(path))
    if not isinstance(content, (list, tuple)):
        raise CheckpointError(f"{path}: expected a list of one array per style layer")
    arrays = [np.asarray(layer) for layer in content]
    counts = {array.shape[1] if array.ndim == 2 and array.dtype.kind == "f" else 0 for array in arrays}
    if [len(array) if array.ndim else 0 for array in arrays] != list(widths) or len(counts) != 1 or counts <= {0, 1}:
        shapes = ", ".join(str(array.shape) for array in arrays[:3])
        raise CheckpointError(f"{path}: arrays {shapes} ...; this generator's style layers have {list(widths)[:3]} ...")
    if not all(np.isfinite(array).all() for array in arrays):
        raise CheckpointError(f"{path}: holds values that are not finite")
    return torch.from_numpy(np.concatenate(arrays).astype(np.float64))
