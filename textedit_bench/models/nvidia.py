"""Convert NVIDIA's pickles, TensorFlow and ada-pytorch, to rosinality state dicts, without executing their code.

An ada-pytorch pickle stores, for every layer, the source text of its class; here that text is skipped and only the
attribute dictionaries are read. A TensorFlow pickle stores lists of named arrays, which were produced by source text
skipped likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.nvidia_ada import convert_discriminator, convert_generator
from textedit_bench.models.nvidia_tf import convert_tf_discriminator, convert_tf_generator
from textedit_bench.models.pickles import InertObject, PersistentNode, read_pickle

TF_NETWORK = "dnnlib.tflib.network."


@dataclass
class NvidiaNetworks:
    """Networks of one pickle under rosinality names."""

    generator: dict[str, Tensor] | None = None
    discriminator: dict[str, Tensor] | None = None
    w_mean: Tensor | None = None
    generator_settings: dict[str, Any] = field(default_factory=dict)
    discriminator_settings: dict[str, Any] = field(default_factory=dict)
    format: str = ""


def read_nvidia_pickle(path: Path) -> NvidiaNetworks:
    """Read either kind of pickle.

    Raises:
        CheckpointError: a name outside the list of harmless ones, a damaged file, or a network we do not build.
    """
    with path.open("rb") as stream:
        content = read_pickle(stream, str(path), inert=(TF_NETWORK,))
    if isinstance(content, dict) and any(isinstance(node, PersistentNode) for node in content.values()):
        return _ada(path, content)
    if isinstance(content, tuple | list) and any(isinstance(part, InertObject) for part in content):
        return _tensorflow(path, content)
    if isinstance(content, PersistentNode):
        return _ada(path, {"G_ema" if "Generator" in content.class_name else "D": content})
    raise CheckpointError(f"{path}: a pickle, but neither NVIDIA's (G, D, Gs) nor its dict of G, D, G_ema")


def _ada(path: Path, content: Mapping[str, Any]) -> NvidiaNetworks:
    networks = NvidiaNetworks(format="nvidia-ada-pytorch")
    generator = content.get("G_ema") or content.get("G")
    if isinstance(generator, PersistentNode):
        state = flatten_node(generator)
        _refuse_classes(path, generator)
        networks.generator, networks.w_mean = convert_generator(str(path), state)
        clamp = _setting(generator, "conv_clamp", "synthesis_kwargs")
        networks.generator_settings = {"conv_clamp": None if clamp is None else float(clamp)}
    if isinstance(content.get("D"), PersistentNode):
        node = content["D"]
        _refuse_classes(path, node)
        networks.discriminator = convert_discriminator(str(path), flatten_node(node))
        clamp = _setting(node, "conv_clamp")
        group = _setting(node, "group_size", default=_setting(node, "mbstd_group_size", "epilogue_kwargs", default=4))
        networks.discriminator_settings = {
            "conv_clamp": None if clamp is None else float(clamp),
            "mbstd_group": None if group is None else int(group),
        }
    return networks


def flatten_node(node: PersistentNode, prefix: str = "") -> dict[str, Tensor]:
    """Collect parameters and buffers of a module tree under their state-dict names."""
    flat: dict[str, Tensor] = {}
    for group in ("_parameters", "_buffers"):
        for name, value in (node.get(group) or {}).items():
            if isinstance(value, Tensor):
                flat[prefix + name] = value.detach()
    for name, child in (node.get("_modules") or {}).items():
        if isinstance(child, PersistentNode):
            flat.update(flatten_node(child, f"{prefix}{name}."))
    return flat


def _setting(node: PersistentNode, name: str, group: str = "", default: Any = None) -> Any:
    """Return a setting of the layers, else of the constructor arguments of this or an inner network."""
    missing = object()
    found = node.get(name, missing)
    for child in (node.get("_modules") or {}).values():
        if found is missing and isinstance(child, PersistentNode):
            found = _setting(child, name, group, default=missing)
    if found is missing:
        given = node.get("_init_kwargs") or {}
        found = given.get(name, (given.get(group) or {}).get(name, missing) if group else missing)
    return default if found is missing else found


def _refuse_classes(path: Path, node: PersistentNode) -> None:
    labels = _setting(node, "c_dim", default=0)
    if labels:
        raise CheckpointError(
            f"{path}: a class-conditional network ({labels} labels); only unconditional ones are built"
        )


def _tensorflow(path: Path, content: Any) -> NvidiaNetworks:
    networks = NvidiaNetworks(format="nvidia-tensorflow")
    parts = [part for part in content if isinstance(part, InertObject)]
    variables = [_tf_variables(str(path), part) for part in parts]
    generators = [v for v in variables if any(name.startswith("synthesis/") for name in v)]
    if generators:  # (G, D, Gs): the last generator is the running average
        networks.generator, networks.w_mean = convert_tf_generator(str(path), generators[-1])
    for part, values in zip(parts, variables, strict=True):
        if "Output/weight" in values:
            networks.discriminator = convert_tf_discriminator(str(path), values)
            group = (part.get("static_kwargs") or {}).get("mbstd_group_size", 4)
            networks.discriminator_settings = {"mbstd_group": int(group)}
    if networks.generator is None and networks.discriminator is None:
        raise CheckpointError(f"{path}: a TensorFlow pickle without StyleGAN2 variables")
    return networks


def _tf_variables(source: str, network: InertObject, prefix: str = "") -> dict[str, Tensor]:
    """Return all variables of a pickled network and its components, as float32 tensors."""
    flat: dict[str, Tensor] = {}
    for name, value in network.get("variables") or []:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise CheckpointError(f"{source}: variable {prefix}{name} is not numeric")
        flat[prefix + name] = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape))
    for name, component in (network.get("components") or {}).items():
        if isinstance(component, InertObject):
            flat.update(_tf_variables(source, component, f"{prefix}{name}/"))
    return flat
