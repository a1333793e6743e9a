"""DeltaEdit checkpoints and relevance files: the released layouts and ours, read without executing anything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.matching import load_exactly
from textedit_bench.models.names import plain_names
from textedit_bench.models.storage import build_network, read_tensors
from textedit_bench.models.torch_files import read_named, torch_file_kind
from textedit_methods.deltaedit.model import DeltaModel
from textedit_methods.deltaedit.network import GROUPS, DeltaMapper, released_groups

# Released file: the bare state dict; trainers that wrap it add a prefix.
_KEY = re.compile(r"^(?:net\.|mapper\.)?(?P<own>(?:sm|cm|fm)_(?:coarse|medium|fine)\.mapping\..+)$")
_MAX_DIM, _MAX_DEPTH = 65536, 16


def load_model(path: str | Path) -> DeltaModel:
    """Mapper and, in our files, relevance matrix; eval mode, parameters frozen.

    Args:
        path: a released file (a bare state dict, with or without ``module.``), or our safetensors file.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds no DeltaEdit mapper.
    """
    path = Path(path)
    if torch_file_kind(path) == "safetensors":
        tensors, metadata = read_tensors(path)
        if metadata:
            network = build_network(path, tensors, metadata)
            if isinstance(network, DeltaMapper):
                network = DeltaModel(network)
            if not isinstance(network, DeltaModel):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a DeltaEdit mapper")
            return network.eval().requires_grad_(False)
        return _from_names(path, plain_names(tensors))
    return _from_names(path, read_named(path, "DeltaEdit's trainer"))


def load_relevance(path: str | Path, rows: int, width: int) -> Tensor:
    """A relevance matrix as StyleCLIP ships it (``fs3.npy``).

    Files of the released script end at the 128-pixel layers; missing rows are zero, so those channels are never edited.

    Args:
        path: a ``.npy`` file of shape [1 to rows, width].
        rows: the generator's convolution channels.
        width: that of CLIP.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise CheckpointError(f"{path}: not a readable .npy file of numbers") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.ndim != 2:
        raise CheckpointError(f"{path}: expected a matrix of floating-point numbers")
    if array.shape[1] != width or not 0 < array.shape[0] <= rows:
        raise CheckpointError(f"{path}: shape {array.shape} does not fit {rows} channels and a CLIP of width {width}")
    matrix = torch.from_numpy(array.astype(np.float32))
    if not torch.isfinite(matrix).all():
        raise CheckpointError(f"{path}: holds values that are not finite")
    return torch.cat([matrix, torch.zeros(rows - len(matrix), width)])


def _from_names(path: Path, content: dict[Any, Any]) -> DeltaModel:
    """Build the mapper whose sizes the tensors tell."""
    state: dict[str, Tensor] = {}
    for name, value in content.items():
        match = _KEY.match(name) if isinstance(name, str) else None
        if match is None:
            continue
        if not isinstance(value, Tensor) or value.layout != torch.strided or not value.is_floating_point():
            raise CheckpointError(f"{path}: {name} is not a dense tensor of floating-point numbers")
        state[match["own"]] = value
    if not state:
        raise CheckpointError(f"{path}: no DeltaEdit mapper in it (no tensor named sm_coarse.mapping.1...)")
    depth = sum(name.startswith("sm_coarse.mapping.") and name.endswith(".weight") for name in state)
    if not 1 <= depth <= _MAX_DEPTH:
        raise CheckpointError(f"{path}: a mapper of {depth} layers is out of range")
    widths = [_shape(path, state, f"sm_{group}.mapping.1.weight")[1] for group in GROUPS]
    condition = _shape(path, state, "cm_coarse.mapping.1.weight")[1]
    mapper = DeltaMapper(released_groups(*widths), condition, depth=depth)
    load_exactly(mapper, {name: value.float() for name, value in state.items()}, str(path))
    return DeltaModel(mapper).eval().requires_grad_(False)


def _shape(path: Path, state: dict[str, Tensor], name: str) -> tuple[int, int]:
    if name not in state or state[name].ndim != 2:
        raise CheckpointError(f"{path}: {name} is missing or not a matrix, so the mapper's size is unknown")
    rows, columns = state[name].shape
    if not (1 <= rows <= _MAX_DIM and 1 <= columns <= _MAX_DIM):
        raise CheckpointError(f"{path}: {name} of shape {(rows, columns)} is out of range")
    return rows, columns
