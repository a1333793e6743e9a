"""FFCLIP checkpoints: the released layout and ours, read without executing anything they contain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.matching import load_exactly
from textedit_bench.models.names import plain_names
from textedit_bench.models.storage import build_network, read_tensors
from textedit_bench.models.torch_files import read_named, torch_file_kind
from textedit_methods.ffclip.network import DynamicMapper

# Released file: {"state_dict": DistributedDataParallel's names, "opts": ...}; others store the mapper alone.
_KEY = re.compile(r"^(?:att_mapper\.)?att_mapper\.(?P<block>\d{1,3})\.(?P<rest>.+)$")
_UNUSED = ("fc.weight", "fc.bias")
_MAX_BLOCKS, _MAX_ROWS, _MAX_DIM = 64, 64, 8192


def load_mapper(path: str | Path) -> DynamicMapper:
    """The mapper of a checkpoint, in eval mode, parameters frozen.

    Args:
        path: a released FFCLIP file (``state_dict`` beside ``opts``, names with ``module.``, the generator among them),
            a bare state dict of the mapper, or our safetensors file.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds no FFCLIP mapper.
    """
    path = Path(path)
    if torch_file_kind(path) == "safetensors":
        tensors, metadata = read_tensors(path)
        if metadata:
            network = build_network(path, tensors, metadata)
            if not isinstance(network, DynamicMapper):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not an FFCLIP mapper")
            return network
        return _from_names(path, plain_names(tensors))
    return _from_names(path, read_named(path, "FFCLIP's trainer"))


def _from_names(path: Path, content: dict[Any, Any]) -> DynamicMapper:
    """Build the mapper whose sizes the tensors tell; the generator and the unused ``fc`` are dropped."""
    state: dict[str, Tensor] = {}
    blocks = set()
    for name, value in content.items():
        match = _KEY.match(name) if isinstance(name, str) else None
        if match is None or match["rest"] in _UNUSED:
            continue
        if not isinstance(value, Tensor) or value.layout != torch.strided or not value.is_floating_point():
            raise CheckpointError(f"{path}: {name} is not a dense tensor of floating-point numbers")
        blocks.add(int(match["block"]))
        state[f"att_mapper.{match['block']}.{match['rest']}"] = value
    if not blocks:
        raise CheckpointError(f"{path}: no FFCLIP mapper in it (no tensor named att_mapper.0...)")
    rows, dim = _sizes(path, state)
    if blocks != set(range(len(blocks))) or len(blocks) > _MAX_BLOCKS:
        raise CheckpointError(f"{path}: the mapper's blocks are not numbered from 0: {sorted(blocks)}")
    network = DynamicMapper(rows, dim, len(blocks))
    load_exactly(network, state, str(path))
    return network.eval().requires_grad_(False)


def _sizes(path: Path, state: dict[str, Tensor]) -> tuple[int, int]:
    key, query = "att_mapper.0.attention_layer.k_matrix.weight", "att_mapper.0.q_matrix.weight"
    for name in (key, query):
        if name not in state or state[name].ndim != 2:
            raise CheckpointError(f"{path}: {name} is missing or not a matrix, so the mapper's size is unknown")
    rows, dim = state[key].shape[0], state[query].shape[0]
    if not (1 <= rows <= _MAX_ROWS and 1 <= dim <= _MAX_DIM):
        raise CheckpointError(f"{path}: a mapper of {rows} rows and width {dim} is out of range")
    return rows, dim
