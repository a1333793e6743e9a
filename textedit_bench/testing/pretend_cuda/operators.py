"""Properties of torch's operators on CUDA: synchronisation, determinism, cost."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

INDEXING = frozenset({"index", "index_put_", "_index_put_impl_", "index_put", "_unsafe_index"})
"""Operators whose index arguments may lie on the CPU: they are moved, and waited for."""
UNDETERMINED = frozenset(
    {
        "_adaptive_avg_pool2d_backward",
        "_upsample_bicubic2d_aa_backward",
        "_upsample_bilinear2d_aa_backward",
        "adaptive_avg_pool2d_backward",
        "adaptive_max_pool2d_backward",
        "avg_pool3d_backward",
        "bincount",
        "ctc_loss",
        "cumsum",
        "grid_sampler_2d_backward",
        "histc",
        "kthvalue",
        "max_pool3d_with_indices_backward",
        "max_unpool2d",
        "median",
        "nll_loss2d_forward",
        "put_",
        "reflection_pad2d_backward",
        "replication_pad2d_backward",
        "upsample_bicubic2d_backward",
        "upsample_bilinear2d_backward",
    }
)
"""Without a deterministic CUDA kernel, by the documentation of ``torch.use_deterministic_algorithms``."""
_SCATTER = ("index_add", "scatter_add")
_NUMBER = frozenset({"_local_scalar_dense", "equal", "is_nonzero", "item"})
_SIZE = frozenset({"nonzero", "_unique2", "masked_select", "unique_consecutive", "unique_dim", "repeat_interleave"})


def wait_of(name: str, args: tuple[Any, ...]) -> str | None:
    """Return why the operator synchronises; None if it does not."""
    if name in _NUMBER:
        return "device to host (a number)"
    if name in _SIZE:
        return "size of a result"
    if name in INDEXING:
        indices = [index for index in args[1] or () if isinstance(index, Tensor)]
        if any(index.dtype in (torch.bool, torch.uint8) for index in indices):
            return "boolean mask"
    return None


def undetermined(name: str, args: tuple[Any, ...]) -> bool:
    """Whether the result depends on the order of GPU threads."""
    if name.startswith(_SCATTER):
        return args[0].is_floating_point()
    if name in INDEXING and "put" in name:
        return args[0].is_floating_point() and len(args) > 3 and bool(args[3])
    return name in UNDETERMINED


def flops(name: str, args: tuple[Any, ...]) -> int:
    """Return floating-point operations of a product or a convolution; 0 for other operators."""
    if name in ("mm", "bmm", "addmm", "baddbmm"):
        left, right = args[-2:] if name in ("mm", "bmm") else args[1:3]
        return 2 * left.numel() * right.shape[-1]
    if name == "convolution":
        x, weight, stride, pad, transposed = args[0], args[1], args[3], args[4], args[6]
        if transposed:
            return 2 * x.numel() // x.shape[1] * weight.numel()
        sides = zip(x.shape[2:], weight.shape[2:], stride, pad, strict=False)
        pixels = x.shape[0]
        for side, taps, step, edge in sides:
            pixels *= (side + 2 * edge - taps) // step + 1
        return 2 * pixels * weight.numel()
    return 0
