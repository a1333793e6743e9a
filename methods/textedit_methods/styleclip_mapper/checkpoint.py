"""Mapper checkpoints: the released layout and ours, read without executing anything they contain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.matching import load_exactly
from textedit_bench.models.names import plain_names
from textedit_bench.models.storage import build_network, is_safetensors, read_tensors
from textedit_bench.models.torch_files import read_named, torch_file_kind
from textedit_methods.styleclip_mapper.network import DEPTH, LevelsMapper, Mapper, SingleMapper, StyleMapper

# Released file: {"state_dict": mapper.* beside decoder.* (the generator), "opts": ...}; others store the mapper alone.
_PREFIX = re.compile(r"^(?:net\.)?(?P<own>mapper\.)?(?P<rest>.+)$")
_OWN = re.compile(r"^(?:(?P<part>mapping|course_mapping|medium_mapping|fine_mapping)|mapper_\d{1,3})\.mapping\.")
_LEVELS = {"course_mapping": "coarse", "medium_mapping": "medium", "fine_mapping": "fine"}
_RGB_EVERY, _FIRST_RGB = 3, 1  # toRGB is style 1, 4, 7, ...
_MAX_STYLES, _MAX_DIM = 64, 8192


def load_mapper(path: str | Path) -> Mapper:
    """The mapper of a checkpoint, in eval mode, parameters frozen; its kind and sizes follow from its tensors.

    Args:
        path: a released file (``state_dict`` with ``mapper.*`` and ``decoder.*`` beside ``opts``), a bare state dict of
            a mapper, or our safetensors file.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds no mapper of StyleCLIP.
    """
    path = Path(path)
    if torch_file_kind(path) == "safetensors":
        tensors, metadata = read_tensors(path)
        if metadata:
            network = build_network(path, tensors, metadata)
            if not isinstance(network, Mapper):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a mapper of StyleCLIP")
            return network.eval().requires_grad_(False)
        return _from_names(path, plain_names(tensors))
    return _from_names(path, read_named(path, "StyleCLIP's mapper trainer"))


def phrase_of(path: str | Path) -> str | None:
    """The phrase that a mapper of ours was trained on; None for a released file, which does not tell.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = Path(path)
    if not path.is_file() or not is_safetensors(path):
        return None
    return read_tensors(path)[1].get("phrase")


def _from_names(path: Path, content: dict[Any, Any]) -> Mapper:
    """Build the mapper whose kind and sizes the tensors tell; the generator is dropped."""
    state: dict[str, Tensor] = {}
    parts = set()
    for name, value in content.items():
        match = _PREFIX.match(name) if isinstance(name, str) else None
        own = _OWN.match(match["rest"]) if match else None
        if match is None or (own is None and not match["own"]):
            continue
        if not isinstance(value, Tensor) or value.layout != torch.strided or not value.is_floating_point():
            raise CheckpointError(f"{path}: {name} is not a dense tensor of floating-point numbers")
        state[match["rest"]] = value
        if own:
            parts.add(own["part"] or "style")
    if not parts:
        raise CheckpointError(
            f"{path}: no mapper of StyleCLIP in it (no tensor named like mapper.mapping.mapping.1...)"
        )
    network: Mapper
    if parts == {"style"}:
        network = _style_mapper(path, state)
    elif parts == {"mapping"}:
        network = SingleMapper(_width(path, state, "mapping"))
    elif parts <= set(_LEVELS):
        widths = {_width(path, state, part) for part in parts}
        network = LevelsMapper(max(widths), [_LEVELS[part] for part in parts])
    else:
        raise CheckpointError(f"{path}: tensors of several kinds of mapper: {', '.join(sorted(parts))}")
    load_exactly(network, {name: value.float() for name, value in state.items()}, str(path))
    return network.eval().requires_grad_(False)


def _style_mapper(path: Path, state: dict[str, Tensor]) -> StyleMapper:
    """Widths from the tensors; a toRGB style without a mapper is as wide as the convolution's before it."""
    mapped = sorted({int(name.split(".")[0].removeprefix("mapper_")) for name in state if _OWN.match(name)})
    known = {position: _width(path, state, f"mapper_{position}") for position in mapped}
    count = mapped[-1] + 1
    if count % _RGB_EVERY == _FIRST_RGB:  # ends with a convolution, so a toRGB that has no mapper follows
        count += 1
    if count > _MAX_STYLES:
        raise CheckpointError(f"{path}: a mapper of {count} style vectors is out of range")
    for position in range(count):
        if position not in known:
            if position % _RGB_EVERY != _FIRST_RGB or position - 1 not in known:
                raise CheckpointError(f"{path}: mapper_{position} is missing, so the style's width is unknown")
            known[position] = known[position - 1]
    return StyleMapper([known[position] for position in range(count)], mapped)


def _width(path: Path, state: dict[str, Tensor], part: str) -> int:
    name = f"{part}.mapping.{DEPTH}.weight"
    if name not in state or state[name].ndim != 2:
        raise CheckpointError(f"{path}: {name} is missing or not a matrix, so the mapper's width is unknown")
    width = state[name].shape[0]
    if not 1 <= width <= _MAX_DIM:
        raise CheckpointError(f"{path}: a mapper of width {width} is out of range")
    return width
