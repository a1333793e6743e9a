"""What a training prepares, computed once and kept in files; of several processes that need it, one computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from textedit_bench.files import locked
from textedit_bench.models.storage import write_tensors


def kept(path: Path, make: Callable[[], Mapping[str, Tensor]], header: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors of a file, made and written first where it is not there yet.

    Others that ask for a file of the same folder wait meanwhile, for as long as it takes.
    """
    with locked(path.parent):
        if not path.is_file():
            write_tensors(make(), path, header)
        return load_file(path)
