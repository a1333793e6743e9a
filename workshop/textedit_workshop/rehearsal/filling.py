"""Weights that are a pure function of a name: random, but scaled so that every network stays well conditioned.

The rule is that of the parity fixtures (a test compares the two), with entries for transformers added.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]

_FIR = (1.0, 3.0, 3.0, 1.0)

# (pattern searched in the name, constant, factor on a standard normal); the first hit decides.
_RULES: tuple[tuple[re.Pattern[str], float, float], ...] = tuple(
    (re.compile(pattern), constant, factor)
    for pattern, constant, factor in (
        (r"(^|\.)running_mean$", 0.0, 0.1),
        (r"(^|\.)(noises\.noise_\d+|noise_const)$", 0.0, 1.0),
        (r"(^|\.)(noise\.weight|noise_strength)$", 0.2, 0.05),
        (r"(^|\.)(latent_avg|w_avg)$", 0.0, 0.5),
        # The mapping network runs at a hundredth of the learning rate: its stored weights are a hundred times as large.
        (r"(^|\.)(style|mapping)\.(fc)?\d+\.weight$", 0.0, 100.0),
        (r"(^|\.)(style|mapping)\.(fc)?\d+\.bias$", 0.0, 10.0),
        (r"(^|\.)(modulation|affine)\.bias$", 1.0, 0.1),
        (r"(^|\.)(modulation|affine)\.weight$", 0.0, 1.0),
        (r"(^|\.)(input\.input|const)$", 0.0, 1.0),
        # Equalised layers scale themselves.
        (r"^(convs|final_conv|final_linear|conv1|to_rgb1|to_rgbs)\..*weight$", 0.0, 1.0),
        (r"(^|\.)styles\.\d+\.linear\.weight$", 0.0, 1.0),
        (r"(^|\.)(input_layer|res_layer)\.2\.weight$", 0.25, 0.05),
    )
)
_TRANSFORMER: tuple[tuple[re.Pattern[str], float, float], ...] = tuple(
    (re.compile(pattern), constant, factor)
    for pattern, constant, factor in (
        (r"(^|\.)logit_scale$", math.log(100.0), 0.0),
        (r"(^|\.)in_proj_bias$", 0.0, 0.1),
        (r"(^|\.)(positional_embedding|class_embedding|token_embedding\.weight)$", 0.0, 0.2),
    )
)
# Gains on the rule of plain weights that keep softmaxes and norms over nearly constant vectors well behaved.
_GAINS = (
    (re.compile(r"^att_mapper\.\d+\.[qk]_matrix\.weight$"), 0.3),
    (re.compile(r"^att_mapper\.\d+\.v_matrix\.weight$"), 10.0),
    (re.compile(r"(^|\.)attention_layer\.k_matrix\.weight$"), 3.0),
)


def fill(shapes: Shapes, salt: str) -> dict[str, Tensor]:
    """A value for every name: float32, counters int64.

    Args:
        shapes: name -> shape of a state dict, under its published names.
        salt: makes the values of two files differ.
    """
    return {name: torch.from_numpy(np.asarray(value(name, tuple(shape), salt))) for name, shape in shapes.items()}


def value(name: str, shape: tuple[int, ...], salt: str) -> np.ndarray:
    """The value of one name."""
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith(("kernel", "resample_filter")):
        # A filter of sum 1; those that follow an upsampling hold its factor 4 already.
        gain = 4.0 if name.endswith(("blur.kernel", "upsample.kernel")) else 1.0
        return (gain * np.outer(_FIR, _FIR) / 64.0).astype(np.float32)
    draw = _normals(name, shape, salt)
    if re.search(r"(^|\.)running_var$", name):
        return (1.0 + 0.1 * np.abs(draw)).astype(np.float32)
    for pattern, constant, factor in (*_RULES, *_TRANSFORMER):
        if pattern.search(name):
            return (constant + factor * draw).astype(np.float32)
    if name.endswith("bias"):
        return (0.1 * draw).astype(np.float32)
    if name.endswith("weight") and len(shape) <= 1:  # of a norm
        return (1.0 + 0.1 * draw).astype(np.float32)
    if name.endswith("weight"):
        return (_gain(name) * draw / math.sqrt(math.prod(shape[1:]))).astype(np.float32)
    if name.endswith("proj") or name.endswith("text_projection"):  # stored [in, out]
        return (draw / math.sqrt(shape[0])).astype(np.float32)
    return draw.astype(np.float32)


def _gain(name: str) -> float:
    return next((gain for pattern, gain in _GAINS if pattern.search(name)), 1.0)


def _normals(name: str, shape: tuple[int, ...], salt: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(f"{salt}|{name}".encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(math.prod(shape)).reshape(shape)


def prefixed(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under longer names."""
    return {prefix + name: tensor for name, tensor in state.items()}


def shapes_of(named: Iterable[tuple[str, Tensor]]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of tensors, such as those of a network on the meta device."""
    return {name: tuple(tensor.shape) for name, tensor in named}
