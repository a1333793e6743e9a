"""Cache data of a training in files; of several processes that need them, one computes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from textedit_bench.files import locked, reserve, write_atomically
from textedit_bench.models.storage import write_tensors

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def kept_path(folder: str | Path, domain: Domain, what: str, *axes: object, ending: str = ".safetensors") -> Path:
    """Return the cache file for data set, tier and the axes, plain JSON values."""
    identity = json.dumps([domain.name, domain.tier, what, *axes])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return Path(folder) / f"{domain.name}-{domain.tier}-{what}-{digest}{ending}"


def kept(path: Path, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of a file; if it does not exist, compute and write them first.

    Other processes that need a file of the same folder wait without a time limit.
    """
    with locked(path.parent):
        if not path.is_file():
            write_tensors(make(), path, {"holds": path.stem})
        return load_file(path)


def kept_rows(path: Path, shape: Sequence[int], dtype: Any, make: Callable[[], Iterable[Tensor]]) -> Tensor:
    """Memory-map the rows of a .npy file; if it does not exist, compute it part by part.

    Args:
        path: the file.
        shape: of all rows.
        dtype: numpy's.
        make: the rows in order, some at a time, on the CPU.
    """

    def write(temporary: Path) -> None:
        rows = np.lib.format.open_memmap(temporary, "w+", dtype, tuple(shape))
        reserve(temporary)
        done = 0
        for part in make():
            rows[done : done + len(part)] = part.numpy()
            done += len(part)
        rows.flush()

    with locked(path.parent):
        if not path.is_file():
            write_atomically(path, write)
    return torch.from_numpy(np.load(path, mmap_mode="c"))
