"""Read the authors' components: an npz of their decomposition, or a dictionary saved by PyTorch."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textedit_bench.errors import CheckpointError, one_line
from textedit_bench.models.torch_files import read_torch_file, torch_file_kind
from textedit_methods.ganspace.components import Components

_NPZ = ("lat_mean", "lat_comp", "lat_stdev")
_TORCH = ("mean", "comp", "std")


def read_components(path: Path) -> Components:
    """Read the components of a file without executing anything.

    Raises:
        CheckpointError: the file is missing, damaged, of another kind, or its arrays do not fit together.
    """
    arrays = _read_npz(path) if _is_npz(path) else _read_torch(path)
    mean, comp, std = (torch.from_numpy(array.astype(np.float32)) for array in arrays)
    comp = comp.flatten(1) if comp.ndim == 3 else comp
    if comp.ndim != 2 or not len(comp) or mean.numel() != comp.shape[1] or std.shape != comp.shape[:1]:
        shapes = ", ".join(str(tuple(array.shape)) for array in arrays)
        raise CheckpointError(f"{path}: mean, components and deviations of shapes {shapes} do not fit together")
    if not all(torch.isfinite(value).all() for value in (mean, comp, std)):
        raise CheckpointError(f"{path}: holds values that are not finite")
    return Components(mean.flatten(), comp, std)


def _is_npz(path: Path) -> bool:
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def _read_npz(path: Path) -> list[np.ndarray[Any, Any]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            if missing := [name for name in _NPZ if name not in stored.files]:
                raise CheckpointError(
                    f"{path}: no {', '.join(missing)}; holds {', '.join(stored.files[:6]) or 'nothing'}"
                )
            return [_numbers(path, name, stored[name]) for name in _NPZ]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: damaged, or holds objects ({one_line(error)})") from error


def _read_torch(path: Path) -> list[np.ndarray[Any, Any]]:
    if torch_file_kind(path) not in ("torch", "pickle"):
        raise CheckpointError(f"{path}: neither an npz of components nor a dictionary that PyTorch saved")
    content = read_torch_file(path)
    if not isinstance(content, Mapping) or not set(_TORCH) <= set(content):
        raise CheckpointError(f"{path}: expected a dictionary with {', '.join(_TORCH)}")
    return [_numbers(path, name, content[name]) for name in _TORCH]


def _numbers(path: Path, name: str, value: Any) -> np.ndarray[Any, Any]:
    array = value.detach().cpu().float().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.dtype.kind != "f":
        raise CheckpointError(f"{path}: {name} has values other than floating-point numbers")
    return array
