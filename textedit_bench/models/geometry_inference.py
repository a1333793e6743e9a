"""Infer the architecture of a state dict from its names and shapes (rosinality layout)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

State = Mapping[str, Tensor]


def generator_geometry(state: State) -> dict[str, Any]:
    """Infer the constructor arguments of a generator.

    Every number is the most frequent one among the tensors that show it, so one missing or misshapen tensor is
    reported as such later and does not change what is expected of the others.

    Raises:
        LookupError: too little is there to tell.
    """
    blocks = 1 + max(_indices(state, r"to_rgbs\.(\d+)\."), default=-1)
    blocks = max(blocks, (1 + max(_indices(state, r"convs\.(\d+)\."), default=-1)) // 2)
    if blocks < 1:
        raise LookupError("no up-sampling block")
    w_dim = _vote(shape[1] for name, shape in _shapes(state, r".*modulation\.weight$", 2))
    depth = max(_indices(state, r"style\.(\d+)\."), default=0)
    first = _shapes(state, r"style\.1\.weight$", 2)
    channels = {4: _vote(_widths(state, "conv1", "to_rgb1"))}
    for k in range(blocks):
        channels[8 * 2**k] = _vote(_widths(state, f"convs.{2 * k + 1}", f"to_rgbs.{k}"))
    return {
        "resolution": 4 * 2**blocks,
        "z_dim": first[0][1][1] if first else w_dim,
        "w_dim": w_dim,
        "n_mlp": depth,
        "channels": channels,
    }


def discriminator_geometry(state: State) -> dict[str, Any]:
    """Infer the constructor arguments of a discriminator.

    Raises:
        LookupError: too little is there to tell.
    """
    blocks = max(_indices(state, r"convs\.(\d+)\."), default=0)
    if blocks < 1:
        raise LookupError("no residual block")
    channels = {4: _vote(shape[0] for _, shape in _shapes(state, r"final_conv\.\d\.(weight|bias)$"))}
    for n in range(1, blocks + 1):
        found = _shapes(state, rf"convs\.{n}\.conv1\.[01]\.(weight|bias)$")
        channels[4 * 2 ** (blocks - n + 1)] = _vote(shape[0] for _, shape in found)
    return {"resolution": 4 * 2**blocks, "channels": channels}


def encoder_geometry(state: State) -> dict[str, int]:
    """Infer rows and width of W+ of an e4e / pSp encoder.

    Raises:
        LookupError: it has no style heads.
    """
    rows = 1 + max(_indices(state, r"styles\.(\d+)\."), default=-1)
    if rows < 1:
        raise LookupError("no style heads")
    return {"rows": rows, "w_dim": _vote(shape[0] for _, shape in _shapes(state, r"styles\.\d+\.linear\.weight$"))}


def _widths(state: State, conv: str, rgb: str) -> list[int]:
    """Infer channel counts of one resolution from its second convolution and its toRGB layer."""
    found = [shape[1] for _, shape in _shapes(state, rf"{re.escape(conv)}\.conv\.weight$", 5)]
    found += [shape[2] for _, shape in _shapes(state, rf"{re.escape(conv)}\.conv\.weight$", 5)]
    found += [shape[2] for _, shape in _shapes(state, rf"{re.escape(rgb)}\.conv\.weight$", 5)]
    for name in (f"{conv}.activate.bias", f"{conv}.conv.modulation.bias", f"{rgb}.conv.modulation.bias"):
        found += [shape[0] for _, shape in _shapes(state, re.escape(name) + "$", 1)]
    return found


def _shapes(state: State, pattern: str, axes: int | None = None) -> list[tuple[str, tuple[int, ...]]]:
    compiled = re.compile(pattern)
    named = [(name, tuple(tensor.shape)) for name, tensor in state.items() if compiled.match(name)]
    return [(name, shape) for name, shape in named if shape and (axes is None or len(shape) == axes)]


def _indices(state: State, pattern: str) -> list[int]:
    compiled = re.compile(pattern)
    return [int(found[1]) for name in state if (found := compiled.match(name))]


def _vote(values: Iterable[int]) -> int:
    counted = Counter(values).most_common(1)
    if not counted:
        raise LookupError("a layer is missing altogether")
    return counted[0][0]
