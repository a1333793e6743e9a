"""FFCLIP checkpoints: the released layout and ours, read without executing anything they contain."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.matching import load_exactly
from textedit_bench.models.storage import build_network, is_safetensors, read_tensors
from textedit_bench.models.torch_files import read_archive, read_torch_file, torch_file_kind
from textedit_methods.ffclip.network import DynamicMapper

# Released file: {"state_dict": DistributedDataParallel's names, "opts": ...}; others store the mapper alone.
_KEY = re.compile(r"^(?:module\.)?(?:att_mapper\.)?att_mapper\.(?P<block>\d{1,3})\.(?P<rest>.+)$")
_UNUSED = ("fc.weight", "fc.bias")
_INERT = ("omegaconf.", "typing.", "builtins.dict", "collections.defaultdict")
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
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if is_safetensors(path):
        tensors, metadata = read_tensors(path)
        if metadata:
            network = build_network(path, tensors, metadata)
            if not isinstance(network, DynamicMapper):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not an FFCLIP mapper")
            _check_finite(path, network.state_dict())
            return network
        return _from_names(path, tensors)
    return _from_names(path, _read_tensors(path))


def _read_tensors(path: Path) -> dict[Any, Any]:
    """Names and values of a torch file; ``opts`` may hold OmegaConf objects, which are passed over and never built."""
    if torch_file_kind(path) not in ("torch", "pickle"):
        raise CheckpointError(f"{path}: not a checkpoint that FFCLIP's trainer writes")
    try:
        try:
            content = read_torch_file(path)
        except CheckpointError:
            if not zipfile.is_zipfile(path):
                raise
            content = read_archive(path, inert=_INERT)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle fails in as many ways as there are instructions
        raise CheckpointError(f"{path}: damaged or truncated ({type(error).__name__})") from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected named tensors, found a {type(content).__name__}")
    return content


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
    _check_finite(path, network.state_dict())
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


def _check_finite(path: Path, state: dict[str, Tensor]) -> None:
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
