"""Tensors of StyleGAN2 under rosinality's names, and the file of the converted FFHQ networks.

Totals to hold on to, of config-f: 171, 153 and 135 tensors of a generator of 1024, 512 and 256 pixels; 64, 57 and 50 of
a discriminator.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.sizes import Sizes

Shapes = dict[str, tuple[int, ...]]
_KERNEL = (4, 4)


def generator_shapes(sizes: Sizes) -> Shapes:
    """Parameters and buffers of a generator."""
    w, low = sizes.w_dim, sizes.channels(4)
    shapes: Shapes = {}
    for layer in range(1, sizes.mapping_layers + 1):
        shapes |= {f"style.{layer}.weight": (w, w), f"style.{layer}.bias": (w,)}
    shapes["input.input"] = (1, low, 4, 4)
    shapes |= _convolution("conv1", low, low, w) | _to_rgb("to_rgb1", low, w)
    shapes["noises.noise_0"] = (1, 1, 4, 4)
    for block in range(sizes.blocks):
        side = 8 << block
        into, out = sizes.channels(side // 2), sizes.channels(side)
        shapes |= _convolution(f"convs.{2 * block}", into, out, w)
        shapes[f"convs.{2 * block}.conv.blur.kernel"] = _KERNEL
        shapes |= _convolution(f"convs.{2 * block + 1}", out, out, w) | _to_rgb(f"to_rgbs.{block}", out, w)
        shapes[f"to_rgbs.{block}.upsample.kernel"] = _KERNEL
        for noise in (2 * block + 1, 2 * block + 2):
            shapes[f"noises.noise_{noise}"] = (1, 1, side, side)
    return shapes


def _convolution(name: str, into: int, out: int, w: int) -> Shapes:
    return {
        f"{name}.conv.weight": (1, out, into, 3, 3),
        f"{name}.conv.modulation.weight": (into, w),
        f"{name}.conv.modulation.bias": (into,),
        f"{name}.noise.weight": (1,),
        f"{name}.activate.bias": (out,),
    }


def _to_rgb(name: str, into: int, w: int) -> Shapes:
    return {
        f"{name}.conv.weight": (1, 3, into, 1, 1),
        f"{name}.conv.modulation.weight": (into, w),
        f"{name}.conv.modulation.bias": (into,),
        f"{name}.bias": (1, 3, 1, 1),
    }


def discriminator_shapes(sizes: Sizes) -> Shapes:
    """Parameters and buffers of a discriminator."""
    full, low = sizes.channels(sizes.resolution), sizes.channels(4)
    shapes: Shapes = {"convs.0.0.weight": (full, 3, 1, 1), "convs.0.1.bias": (full,)}
    for block in range(1, sizes.blocks + 1):
        side = sizes.resolution >> (block - 1)
        into, out = sizes.channels(side), sizes.channels(side // 2)
        name = f"convs.{block}"
        shapes |= {
            f"{name}.conv1.0.weight": (into, into, 3, 3),
            f"{name}.conv1.1.bias": (into,),
            f"{name}.conv2.0.kernel": _KERNEL,
            f"{name}.conv2.1.weight": (out, into, 3, 3),
            f"{name}.conv2.2.bias": (out,),
            f"{name}.skip.0.kernel": _KERNEL,
            f"{name}.skip.1.weight": (out, into, 1, 1),
        }
    return shapes | {
        "final_conv.0.weight": (low, low + 1, 3, 3),  # and the deviation of the batch
        "final_conv.1.bias": (low,),
        "final_linear.0.weight": (low, low * 16),
        "final_linear.0.bias": (low,),
        "final_linear.1.weight": (1, low),
        "final_linear.1.bias": (1,),
    }


def generator_state(sizes: Sizes, salt: str) -> dict[str, Tensor]:
    """A filled generator."""
    return fill(generator_shapes(sizes), salt)


def write_rosinality(path: Path, sizes: Sizes, salt: str) -> None:
    """``g_ema``, ``g``, ``d`` and the mean of W, as the converted FFHQ file holds them."""
    average = fill({"latent_avg": (sizes.w_dim,)}, salt)
    content = {
        "g_ema": generator_state(sizes, salt),
        "g": generator_state(sizes, f"{salt}/g"),
        "d": fill(discriminator_shapes(sizes), salt),
        **average,
    }
    torch.save(content, path)
