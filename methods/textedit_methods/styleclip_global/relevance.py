"""The channel relevance matrix: one unit vector of CLIP's space per editable channel, with the channels' statistics."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.storage import FORMAT, is_safetensors, read_tensors, write_tensors
from textedit_bench.stylespace.statistics import Statistics
from textedit_methods.styleclip_global.official import STATISTICS, read_rows, read_statistics

KIND = "styleclip-global-relevance"


@dataclass(frozen=True)
class Relevance:
    """What `fit` makes and edits read.

    Attributes:
        rows: [N, d]; unit vectors, or zeros for a channel without any effect or never swept.
        statistics: of the same N channels.
        facts: how it was made, as plain JSON values; {} for released files.
    """

    rows: Tensor
    statistics: Statistics
    facts: Mapping[str, Any] = field(default_factory=dict)


def save_relevance(relevance: Relevance, path: str | Path) -> None:
    """Write rows in 8 bits with one scale per row, statistics in half precision.

    Rounding moves a row by about 1 % of its length at random, its product with a text direction by under 0.002.
    """
    tensors = {
        "rows": relevance.rows.cpu(),
        "mean": relevance.statistics.mean.cpu(),
        "std": relevance.statistics.std.cpu(),
    }
    header = {"format": FORMAT, "kind": KIND, "facts": json.dumps(dict(relevance.facts), sort_keys=True)}
    write_tensors(tensors, path, header, "int8")


def load_relevance(
    path: str | Path, widths: list[tuple[int, bool]], measured: Callable[[], Statistics] | None = None
) -> Relevance:
    """Ours, or a released ``fs3.npy`` with its ``S_mean_std`` in the same folder.

    Args:
        path: our file, ``fs3.npy``, or the folder that holds it.
        widths: channels and is-toRGB of the generator's style layers.
        measured: gives the statistics where a released matrix comes without ``S_mean_std``; then that is no error.

    Raises:
        CheckpointError: a file is missing, damaged, not finite, or made for another generator.
    """
    path = Path(path)
    channels = sum(width for width, is_rgb in widths if not is_rgb)
    if path.is_dir() or path.suffix == ".npy":
        matrix = path / "fs3.npy" if path.is_dir() else path
        rows = read_rows(matrix, widths)
        beside = matrix.with_name(STATISTICS)
        if measured is not None and not beside.is_file():
            return Relevance(rows, measured())
        return Relevance(rows, Statistics(*read_statistics(beside, widths)))
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if not is_safetensors(path):
        raise CheckpointError(f"{path}: neither our relevance file (safetensors) nor a released fs3.npy")
    tensors, header = read_tensors(path)
    if header.get("kind") != KIND or not {"rows", "mean", "std"} <= set(tensors):
        raise CheckpointError(f"{path}: holds no channel relevances (kind {header.get('kind', 'none')!r})")
    rows, mean, std = (tensors[name].float() for name in ("rows", "mean", "std"))
    if rows.ndim != 2 or len(rows) != channels or mean.shape != (channels,) or std.shape != (channels,):
        raise CheckpointError(
            f"{path}: relevances of {len(rows)} channels; this generator has {channels} editable ones. "
            "They belong to one generator: make them again with train"
        )
    if not all(torch.isfinite(value).all() for value in (rows, mean, std)):
        raise CheckpointError(f"{path}: holds values that are not finite")
    try:
        facts = json.loads(header.get("facts", "{}"))
    except ValueError as error:
        raise CheckpointError(f"{path}: its header is damaged ({error})") from error
    return Relevance(rows, Statistics(mean, std), facts if isinstance(facts, dict) else {})
