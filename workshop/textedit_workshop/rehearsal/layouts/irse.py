"""Tensors of IR-SE50: the encoders of e4e, with the generator beside them, and ArcFace.

Totals to hold on to: 621 tensors of an encoder with 18 heads, 593 with 16, 565 with 14; 343 of ArcFace's file.
"""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_workshop.rehearsal.filling import fill, prefixed
from textedit_workshop.rehearsal.layouts.stylegan2 import Shapes, generator_state
from textedit_workshop.rehearsal.sizes import Sizes

_STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))
_REDUCTION = 16
_PYRAMID = 512
_COARSE, _MIDDLE = 3, 7
_DATASET_TYPES = {"ffhq": "ffhq_encode", "car": "cars_encode", "church": "church_encode", "cat": "cats_encode"}


def encoder_shapes(sizes: Sizes) -> Shapes:
    """An e4e encoder with one head per row of W+."""
    w = sizes.w_dim
    shapes = _body()
    for row in range(sizes.rows):
        depth = 4 if row < _COARSE else 5 if row < _MIDDLE else 6
        for layer in range(depth):
            shapes |= _affine(f"styles.{row}.convs.{2 * layer}", (w, w if layer else _PYRAMID, 3, 3))
        shapes |= _affine(f"styles.{row}.linear", (w, w))
    return shapes | _affine("latlayer1", (_PYRAMID, 256, 1, 1)) | _affine("latlayer2", (_PYRAMID, 128, 1, 1))


def arcface_shapes() -> Shapes:
    """ArcFace; the published file lacks the counters of batch norm."""
    shapes = _body() | _norm("output_layer.0", 512) | _affine("output_layer.3", (512, 512 * 7 * 7))
    shapes |= _norm("output_layer.4", 512)
    return {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}


def _body() -> Shapes:
    shapes: Shapes = {
        "input_layer.0.weight": (64, 3, 3, 3),
        **_norm("input_layer.1", 64),
        "input_layer.2.weight": (64,),
    }
    block, width = 0, 64
    for depth, count in _STAGES:
        for _ in range(count):
            name = f"body.{block}"
            if width != depth:
                shapes[f"{name}.shortcut_layer.0.weight"] = (depth, width, 1, 1)
                shapes |= _norm(f"{name}.shortcut_layer.1", depth)
            shapes |= _norm(f"{name}.res_layer.0", width)
            shapes[f"{name}.res_layer.1.weight"] = (depth, width, 3, 3)
            shapes[f"{name}.res_layer.2.weight"] = (depth,)
            shapes[f"{name}.res_layer.3.weight"] = (depth, depth, 3, 3)
            shapes |= _norm(f"{name}.res_layer.4", depth)
            shapes[f"{name}.res_layer.5.fc1.weight"] = (depth // _REDUCTION, depth, 1, 1)
            shapes[f"{name}.res_layer.5.fc2.weight"] = (depth, depth // _REDUCTION, 1, 1)
            block, width = block + 1, depth
    return shapes


def _norm(name: str, width: int) -> Shapes:
    leaves = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{leaf}": (width,) for leaf in leaves}, f"{name}.num_batches_tracked": ()}


def _affine(name: str, shape: tuple[int, ...]) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def write_e4e(path: Path, sizes: Sizes, salt: str, dataset: str) -> None:
    """``state_dict`` with encoder and decoder, the average per row, and ``opts`` as plain values."""
    state = prefixed("encoder.", fill(encoder_shapes(sizes), salt))
    state |= prefixed("decoder.", generator_state(sizes, salt))
    options = {
        "dataset_type": _DATASET_TYPES.get(dataset, "ffhq_encode"),
        "encoder_type": "Encoder4Editing",
        "start_from_latent_avg": True,
        "stylegan_size": sizes.resolution,
    }
    average = fill({"latent_avg": (sizes.rows, sizes.w_dim)}, salt)
    torch.save({"state_dict": state, **average, "opts": options}, path)


def write_arcface(path: Path, _sizes: Sizes, salt: str) -> None:
    """The bare state dict."""
    torch.save(fill(arcface_shapes(), salt), path)
