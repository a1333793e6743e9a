"""Convert ada-pytorch tensor names to rosinality names: only renaming and reshaping."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.layers import fir_kernel

State = dict[str, Tensor]


def convert_generator(source: str, state: Mapping[str, Tensor]) -> tuple[State, Tensor | None]:
    """Convert a generator's tensors to rosinality names, and its running mean of W.

    Raises:
        CheckpointError: tensors that an unconditional skip generator does not have.
    """
    converted: State = {}
    w_mean: Tensor | None = None
    for name, tensor in state.items():
        if name == "mapping.w_avg":
            w_mean = tensor.float()
        elif found := re.fullmatch(r"mapping\.fc(\d+)\.(weight|bias)", name):
            converted[f"style.{int(found[1]) + 1}.{found[2]}"] = tensor.float()
        elif found := re.fullmatch(r"synthesis\.b(\d+)\.(.+)", name):
            converted.update(_synthesis(source, int(found[1]), found[2], tensor.float()))
        else:
            raise CheckpointError(f"{source}: surplus tensor {name} in a StyleGAN2 generator")
    _silent_noise(converted)
    return converted, w_mean


def _synthesis(source: str, size: int, rest: str, tensor: Tensor) -> State:
    block = int(math.log2(size)) - 3
    if rest == "const":
        return {"input.input": tensor.unsqueeze(0)}
    if rest.endswith("resample_filter"):
        return _kernels(source, block, rest, tensor)
    layer, _, leaf = rest.partition(".")
    first = block < 0
    target = {"conv0": f"convs.{2 * block}", "conv1": "conv1" if first else f"convs.{2 * block + 1}"}.get(layer)
    if layer == "torgb":
        target = "to_rgb1" if first else f"to_rgbs.{block}"
        if leaf == "bias":
            return {f"{target}.bias": tensor.view(1, -1, 1, 1)}
    if target is None:
        raise CheckpointError(f"{source}: surplus tensor synthesis.b{size}.{rest} in a StyleGAN2 generator")
    if leaf.startswith("affine."):
        return {f"{target}.conv.modulation.{leaf.removeprefix('affine.')}": tensor}
    if leaf == "noise_const":
        index = 0 if first else 2 * block + (1 if layer == "conv0" else 2)
        return {f"noises.noise_{index}": tensor.view(1, 1, *tensor.shape)}
    if leaf == "weight":
        return {f"{target}.conv.weight": tensor.unsqueeze(0)}
    if leaf == "noise_strength":
        return {f"{target}.noise.weight": tensor.view(1)}
    if leaf == "bias":
        return {f"{target}.activate.bias": tensor}
    raise CheckpointError(f"{source}: surplus tensor synthesis.b{size}.{rest} in a StyleGAN2 generator")


def _kernels(source: str, block: int, rest: str, tensor: Tensor) -> State:
    """Convert filters: ada keeps one in every layer, with sum 1; rosinality two per block, with sum 4."""
    if not torch.allclose(tensor, fir_kernel(1.0).to(tensor), atol=1e-5):
        raise CheckpointError(f"{source}: the resampling filter is not [1, 3, 3, 1]")
    if block >= 0 and rest == "conv0.resample_filter":
        return {f"convs.{2 * block}.conv.blur.kernel": tensor * 4.0}
    if block >= 0 and rest == "resample_filter":
        return {f"to_rgbs.{block}.upsample.kernel": tensor * 4.0}
    return {}


def _silent_noise(converted: State) -> None:
    """Add noise strengths of zero and noise maps to a network trained without noise."""
    for name in [name for name in converted if name.endswith(".activate.bias")]:
        layer = name.removesuffix(".activate.bias")
        if f"{layer}.noise.weight" in converted:
            continue
        index = 0 if layer == "conv1" else int(layer.removeprefix("convs.")) + 1
        side = 4 if index == 0 else 8 * 2 ** ((index - 1) // 2)
        converted[f"{layer}.noise.weight"] = torch.zeros(1)
        converted.setdefault(f"noises.noise_{index}", torch.zeros(1, 1, side, side))


def convert_discriminator(source: str, state: Mapping[str, Tensor]) -> State:
    """Convert a residual discriminator's tensors to rosinality names.

    Raises:
        CheckpointError: tensors that an unconditional residual discriminator does not have.
    """
    sizes = [int(found[1]) for name in state if (found := re.match(r"b(\d+)\.", name))]
    if not sizes:
        raise CheckpointError(f"{source}: no blocks in the discriminator")
    converted: State = {}
    for name, tensor in state.items():
        found = re.fullmatch(r"b(\d+)\.(\w+)\.(weight|bias|resample_filter)", name)
        if not found:
            if name.endswith("resample_filter"):
                continue
            raise CheckpointError(f"{source}: surplus tensor {name} in a StyleGAN2 discriminator")
        size, layer, leaf = int(found[1]), found[2], found[3]
        target = _discriminator_name(max(sizes), size, layer, leaf)
        if target is None and leaf != "resample_filter":
            raise CheckpointError(f"{source}: surplus tensor {name} in a StyleGAN2 discriminator")
        if target is not None:
            converted[target] = tensor.float()
    return converted


def _discriminator_name(full: int, size: int, layer: str, leaf: str) -> str | None:
    block = int(math.log2(full // size)) + 1
    table = {
        ("conv0", "weight"): f"convs.{block}.conv1.0.weight",
        ("conv0", "bias"): f"convs.{block}.conv1.1.bias",
        ("conv1", "weight"): f"convs.{block}.conv2.1.weight",
        ("conv1", "bias"): f"convs.{block}.conv2.2.bias",
        ("conv1", "resample_filter"): f"convs.{block}.conv2.0.kernel",
        ("skip", "weight"): f"convs.{block}.skip.1.weight",
        ("skip", "resample_filter"): f"convs.{block}.skip.0.kernel",
    }
    if size == 4:
        table = {
            ("conv", "weight"): "final_conv.0.weight",
            ("conv", "bias"): "final_conv.1.bias",
            ("fc", "weight"): "final_linear.0.weight",
            ("fc", "bias"): "final_linear.0.bias",
            ("out", "weight"): "final_linear.1.weight",
            ("out", "bias"): "final_linear.1.bias",
        }
    if size == full:
        table |= {("fromrgb", "weight"): "convs.0.0.weight", ("fromrgb", "bias"): "convs.0.1.bias"}
    return table.get((layer, leaf))
