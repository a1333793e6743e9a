"""Detect the format of a weights file from its content, for all official formats and ours."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.nvidia import read_nvidia_pickle
from textedit_bench.models.nvidia_ada import convert_generator
from textedit_bench.models.state_dicts import plain_names
from textedit_bench.models.storage import read_tensors
from textedit_bench.models.torch_files import read_torch_file, torch_file_kind

State = dict[str, Tensor]
MARKS = {  # the first mark some tensor's name begins with decides what a bare state dict is
    "generator": ("to_rgb1.", "to_rgbs."),
    "discriminator": ("final_conv.", "final_linear."),
    "encoder": ("styles.", "latlayer1."),
    "identity": ("output_layer.",),
    "moco": ("encoder_q.",),
    "parser": ("up_concat4.",),
    "clip": ("visual.", "token_embedding."),
}
WRAPPED = ("model_state_dict", "model", "params_ema", "params", "ema", "net", "network", "weights")
"""Names under which trainers store a state dict and nothing else that we would read."""


@dataclass
class Checkpoint:
    """Networks of one file under rosinality / published names.

    Attributes:
        path: the file.
        format: "ours", "rosinality", "nvidia-ada-pytorch", "nvidia-tensorflow", "e4e-psp", "state-dict".
        networks: state dicts by what they are: the keys of `MARKS`.
        latent_avg: the stored centre of W, if there is one.
        settings: settings stored with tensors, by network ("generator": {"conv_clamp": 256.0}, "encoder": {...opts}).
        metadata: header of a file of ours.
    """

    path: Path
    format: str
    networks: dict[str, State] = field(default_factory=dict)
    latent_avg: Tensor | None = None
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read any supported weights file.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    file = Path(path)
    kind = torch_file_kind(file)
    if kind == "safetensors":
        tensors, metadata = read_tensors(file)
        if "kind" in metadata:
            return Checkpoint(file, "ours", {"": tensors}, metadata=metadata)
        return _from_content(file, tensors)
    if kind == "torch":
        return _from_content(file, read_torch_file(file))
    if kind == "pickle":
        return _from_nvidia(file)
    raise CheckpointError(f"{file}: a TorchScript archive; only CLIP is read from those (load_clip)")


def _from_nvidia(file: Path) -> Checkpoint:
    found = read_nvidia_pickle(file)
    checkpoint = Checkpoint(file, found.format, latent_avg=found.w_mean)
    for name, state in (("generator", found.generator), ("discriminator", found.discriminator)):
        if state is not None:
            checkpoint.networks[name] = state
    checkpoint.settings = {"generator": found.generator_settings, "discriminator": found.discriminator_settings}
    return checkpoint


def _from_content(file: Path, content: Any) -> Checkpoint:
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{file}: holds a {type(content).__name__}, not a dict of tensors")
    average = content.get("latent_avg")
    average = average if isinstance(average, Tensor) else None
    if not any(isinstance(content.get(name), Mapping) for name in ("state_dict", "g_ema", "g", "d")):
        content = next((content[name] for name in WRAPPED if isinstance(content.get(name), Mapping)), content)
    if any(key in content for key in ("g_ema", "g", "d")) and not _is_state(content):
        return _from_rosinality(file, content, average)
    if isinstance(content.get("state_dict"), Mapping):
        checkpoint = _from_state(file, _tensors(content["state_dict"]), "state-dict", average)
        if "encoder" in checkpoint.networks:
            checkpoint.format = "e4e-psp"
            checkpoint.settings["encoder"] = _options(content.get("opts"))
        return checkpoint
    state = _tensors(content)
    if not state:
        raise CheckpointError(
            f"{file}: no tensors (top-level entries: {', '.join(map(str, list(content)[:8])) or 'none'})"
        )
    return _from_state(file, state, "state-dict", average)


def _from_rosinality(file: Path, content: Mapping[str, Any], average: Tensor | None) -> Checkpoint:
    checkpoint = Checkpoint(file, "rosinality", latent_avg=average)
    generators = [content[name] for name in ("g_ema", "g") if isinstance(content.get(name), Mapping)]
    if generators:
        checkpoint.networks["generator"] = _tensors(generators[0])
    if isinstance(content.get("d"), Mapping):
        checkpoint.networks["discriminator"] = _tensors(content["d"])
    return checkpoint


def _from_state(file: Path, state: State, format_: str, average: Tensor | None) -> Checkpoint:
    checkpoint = Checkpoint(file, format_, latent_avg=average)
    nested = {"encoder": "encoder.", "generator": "decoder."}
    if _has(state, tuple(nested.values())):  # e4e and pSp hold both, a StyleCLIP mapper file the decoder only
        for network, prefix in nested.items():  # only the leading prefix goes
            part = {name[len(prefix) :]: tensor for name, tensor in state.items() if name.startswith(prefix)}
            if part:
                checkpoint.networks[network] = part
        return checkpoint
    if any(name.startswith("synthesis.b4.") for name in state):
        checkpoint.networks["generator"], checkpoint.latent_avg = convert_generator(str(file), state)
        return checkpoint
    if _kind_of(state) == "unknown" and len(first := {name.partition(".")[0] for name in state}) == 1:
        bare = {name.partition(".")[2]: tensor for name, tensor in state.items()}  # the attribute of some trainer
        if first != {""} and _kind_of(bare) != "unknown":
            return _from_state(file, bare, format_, average)
    state.pop("latent_avg", None)
    checkpoint.networks[_kind_of(state)] = state
    return checkpoint


def _kind_of(state: State) -> str:
    return next((kind for kind, marks in MARKS.items() if _has(state, marks)), "unknown")


def _has(state: State, prefixes: tuple[str, ...]) -> bool:
    return any(name.startswith(prefixes) for name in state)


def _is_state(content: Mapping[str, Any]) -> bool:
    return all(isinstance(value, Tensor) for value in content.values())


def _tensors(mapping: Mapping[str, Any]) -> State:
    """Return the tensors of a state dict under plain names, floating point as float32; arrays become tensors."""
    state: State = {}
    for name, value in plain_names(mapping).items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.ndim:
            value = torch.from_numpy(np.array(value))
        if isinstance(value, Tensor):
            state[name] = value.detach().float() if value.is_floating_point() else value.detach()
    return state


def _options(options: Any) -> dict[str, Any]:
    if isinstance(options, Namespace):
        return dict(vars(options))
    return dict(options) if isinstance(options, Mapping) else {}
