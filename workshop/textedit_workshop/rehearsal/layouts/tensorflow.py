"""NVIDIA's TensorFlow pickles: (G, D, Gs) of inert objects that hold lists of named arrays."""

from __future__ import annotations

import pickle
import re
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.layouts.stylegan2 import discriminator_shapes, generator_state
from textedit_workshop.rehearsal.sizes import Sizes

Variables = dict[str, np.ndarray]
_MODULE = "dnnlib.tflib.network"


def write_tensorflow(path: Path, sizes: Sizes, salt: str) -> None:
    """Generator, discriminator and averaged generator of one size."""
    average = {"dlatent_avg": fill({"latent_avg": (sizes.w_dim,)}, salt)["latent_avg"].numpy(), "lod": np.float32(0)}
    networks = (
        {**generator_variables(generator_state(sizes, f"{salt}/g")), **average},
        discriminator_variables(fill(discriminator_shapes(sizes), salt), sizes.resolution),
        {**generator_variables(generator_state(sizes, salt)), **average},
    )
    with _inert_class() as make, path.open("wb") as file:
        names = ("G", "D", "Gs")
        made = tuple(make(name, variables) for name, variables in zip(names, networks, strict=True))
        pickle.dump(made, file, protocol=4)


def generator_variables(state: dict[str, Tensor]) -> Variables:
    """A generator's tensors as TensorFlow names and orders them."""
    found: Variables = {}
    for name, tensor in state.items():
        if name.endswith("kernel"):
            continue
        if layer := re.fullmatch(r"style\.(\d+)\.(weight|bias)", name):
            dense = tensor.T if layer[2] == "weight" else tensor
            found[f"mapping/Dense{int(layer[1]) - 1}/{layer[2]}"] = dense.numpy()
        elif name == "input.input":
            found["synthesis/4x4/Const/const"] = tensor.numpy()
        elif noise := re.fullmatch(r"noises\.noise_(\d+)", name):
            found[f"synthesis/noise{noise[1]}"] = tensor.numpy()
        else:
            target, array = _layer(name, tensor)
            found[f"synthesis/{target}"] = array
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _layer(name: str, tensor: Tensor) -> tuple[str, np.ndarray]:
    first, _, rest = name.partition(".")
    number = -1
    if first in ("convs", "to_rgbs"):
        index, _, rest = rest.partition(".")
        number = int(index)
    if first.startswith("to_rgb"):
        side, layer = 8 << number if number >= 0 else 4, "ToRGB"
    elif first == "conv1":
        side, layer = 4, "Conv"
    else:
        side, layer = 8 << number // 2, "Conv1" if number % 2 else "Conv0_up"
    place = f"{side}x{side}/{layer}"
    if rest == "conv.weight":
        weight = tensor[0]
        # TensorFlow's transposed convolution runs over the mirrored kernel.
        weight = weight.flip(2, 3) if layer == "Conv0_up" else weight
        return f"{place}/weight", weight.permute(2, 3, 1, 0).numpy()
    if rest == "conv.modulation.weight":
        return f"{place}/mod_weight", tensor.T.numpy()
    if rest == "conv.modulation.bias":
        return f"{place}/mod_bias", tensor.numpy() - 1.0
    if rest == "noise.weight":
        return f"{place}/noise_strength", tensor.reshape(()).numpy()
    return f"{place}/bias", tensor.flatten().numpy()


_DISCRIMINATOR = {
    "conv1.0.weight": "Conv0/weight",
    "conv1.1.bias": "Conv0/bias",
    "conv2.1.weight": "Conv1_down/weight",
    "conv2.2.bias": "Conv1_down/bias",
    "skip.1.weight": "Skip/weight",
    "final_conv.0.weight": "4x4/Conv/weight",
    "final_conv.1.bias": "4x4/Conv/bias",
    "final_linear.0.weight": "4x4/Dense0/weight",
    "final_linear.0.bias": "4x4/Dense0/bias",
    "final_linear.1.weight": "Output/weight",
    "final_linear.1.bias": "Output/bias",
}


def discriminator_variables(state: dict[str, Tensor], resolution: int) -> Variables:
    """A discriminator's tensors as TensorFlow names and orders them."""
    found: Variables = {}
    for name, tensor in state.items():
        if name.endswith("kernel"):
            continue
        array = (tensor.permute(2, 3, 1, 0) if tensor.dim() == 4 else tensor.T if tensor.dim() == 2 else tensor).numpy()
        if layer := re.fullmatch(r"convs\.0\.[01]\.(weight|bias)", name):
            target = f"{resolution}x{resolution}/FromRGB/{layer[1]}"
        elif layer := re.fullmatch(r"convs\.(\d+)\.(.+)", name):
            side = resolution >> (int(layer[1]) - 1)
            target = f"{side}x{side}/{_DISCRIMINATOR[layer[2]]}"
        else:
            target = _DISCRIMINATOR[name]
        found[target] = np.ascontiguousarray(array)
    return found


@contextmanager
def _inert_class() -> Iterator[Any]:
    """Makes objects of NVIDIA's class, which pickle stores by name; the module exists for as long as that takes."""
    before = {name: sys.modules.get(name) for name in ("dnnlib", "dnnlib.tflib", _MODULE)}
    for name in before:
        sys.modules[name] = types.ModuleType(name)

    class Network:
        """What the pickle says of a network."""

    Network.__module__, Network.__qualname__ = _MODULE, "Network"
    setattr(sys.modules[_MODULE], "Network", Network)  # noqa: B010 - a made-up module has no such attribute

    def make(name: str, variables: Variables) -> Network:
        parts: dict[str, Variables] = {}
        own: list[tuple[str, np.ndarray]] = []
        for variable, array in variables.items():
            head, _, rest = variable.partition("/")
            if head in ("mapping", "synthesis"):
                parts.setdefault(head, {})[rest] = array
            else:
                own.append((variable, array))
        made = Network()
        made.__dict__.update(
            version=4,
            name=name,
            static_kwargs={},
            components={head: make(head, inner) for head, inner in parts.items()},
            build_module_src="raise SystemExit('this source must never run')",
            build_func_name="main",
            variables=own,
        )
        return made

    try:
        yield make
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
