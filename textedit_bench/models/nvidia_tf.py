"""Convert TensorFlow StyleGAN2 variables to rosinality names: axes are permuted, up-convolutions are flipped."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.layers import fir_kernel

State = dict[str, Tensor]
IGNORED = re.compile(r"(.*/)?(lod|dlatent_avg|dlatent_avg_beta|pl_mean.*)$")


def convert_tf_generator(source: str, variables: Mapping[str, Tensor]) -> tuple[State, Tensor | None]:
    """Convert a generator's variables to rosinality names, and its running mean of W.

    Raises:
        CheckpointError: variables that a StyleGAN2 skip generator does not have.
    """
    converted: State = {}
    for name, value in variables.items():
        if IGNORED.fullmatch(name):
            continue
        if found := re.fullmatch(r"mapping/Dense(\d+)/(weight|bias)", name):
            target = f"style.{int(found[1]) + 1}.{found[2]}"
            converted[target] = value.T.contiguous() if found[2] == "weight" else value
        elif name == "synthesis/4x4/Const/const":
            converted["input.input"] = value
        elif found := re.fullmatch(r"synthesis/noise(\d+)", name):
            converted[f"noises.noise_{found[1]}"] = value
        elif found := re.fullmatch(r"synthesis/(\d+)x\1/(Conv0_up|Conv1|Conv|ToRGB)/(\w+)", name):
            target, tensor = _layer(int(found[1]), found[2], found[3], value)
            converted[target] = tensor
        else:
            raise CheckpointError(f"{source}: surplus variable {name} in a StyleGAN2 generator")
    for name in [name for name in converted if re.fullmatch(r"convs\.\d*[02468]\.conv\.weight", name)]:
        converted[name.replace(".weight", ".blur.kernel")] = fir_kernel(4.0)
    for name in [name for name in converted if re.fullmatch(r"to_rgbs\.\d+\.bias", name)]:
        converted[name.replace(".bias", ".upsample.kernel")] = fir_kernel(4.0)
    return converted, variables.get("dlatent_avg")


def _layer(size: int, layer: str, leaf: str, value: Tensor) -> tuple[str, Tensor]:
    block = int(math.log2(size)) - 3
    if layer == "ToRGB":
        target = "to_rgb1" if block < 0 else f"to_rgbs.{block}"
    elif layer == "Conv0_up":
        target = f"convs.{2 * block}"
    else:
        target = "conv1" if block < 0 else f"convs.{2 * block + 1}"
    if leaf == "weight":
        weight = value.permute(3, 2, 0, 1)
        if layer == "Conv0_up":  # TensorFlow's transposed convolution runs over the mirrored kernel
            weight = weight.flip(2, 3)
        return f"{target}.conv.weight", weight.unsqueeze(0).contiguous()
    if leaf == "mod_weight":
        return f"{target}.conv.modulation.weight", value.T.contiguous()
    if leaf == "mod_bias":
        return f"{target}.conv.modulation.bias", value + 1.0
    if leaf == "noise_strength":
        return f"{target}.noise.weight", value.reshape(1)
    if layer == "ToRGB":
        return f"{target}.bias", value.view(1, -1, 1, 1)
    return f"{target}.activate.bias", value


def convert_tf_discriminator(source: str, variables: Mapping[str, Tensor]) -> State:
    """Convert a residual discriminator's variables to rosinality names.

    Raises:
        CheckpointError: variables that a StyleGAN2 residual discriminator does not have.
    """
    sizes = [int(found[1]) for name in variables if (found := re.match(r"(\d+)x\1/", name))]
    full = max(sizes, default=0)
    converted: State = {}
    for name, value in variables.items():
        if IGNORED.fullmatch(name):
            continue
        found = re.fullmatch(r"(?:(\d+)x\1/)?(\w+)/(weight|bias)", name)
        target = _discriminator_name(full, int(found[1] or 4), found[2], found[3]) if found else None
        if target is None:
            raise CheckpointError(f"{source}: surplus variable {name} in a StyleGAN2 discriminator")
        converted[target] = (
            value.permute(3, 2, 0, 1) if value.dim() == 4 else value.T if value.dim() == 2 else value
        ).contiguous()
    for n in range(1, int(math.log2(full)) - 1):
        converted[f"convs.{n}.conv2.0.kernel"] = converted[f"convs.{n}.skip.0.kernel"] = fir_kernel(1.0)
    return converted


def _discriminator_name(full: int, size: int, layer: str, leaf: str) -> str | None:
    block = int(math.log2(full // size)) + 1
    convolution, bias = {
        "FromRGB": ("convs.0.0", "convs.0.1"),
        "Conv0": (f"convs.{block}.conv1.0", f"convs.{block}.conv1.1"),
        "Conv1_down": (f"convs.{block}.conv2.1", f"convs.{block}.conv2.2"),
        "Skip": (f"convs.{block}.skip.1", None),
        "Conv": ("final_conv.0", "final_conv.1"),
        "Dense0": ("final_linear.0", "final_linear.0"),
        "Output": ("final_linear.1", "final_linear.1"),
    }.get(layer, (None, None))
    target = convolution if leaf == "weight" else bias
    return None if target is None else f"{target}.{leaf}"
