"""Pack floating-point tensors for storage: unchanged, in half precision, or as 8-bit integers with a scale per row.

Eight bits keep each weight within 1/254 of the largest of its row (an output channel), which halves what half
precision takes. Vectors and small tensors (biases, norms, scales) stay in half precision: they weigh nothing and errors
in them add up over whole channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

Precision = Literal["float32", "float16", "int8"]
SCALE = ".int8_scale"
"""Ending of the name under which the scales of an 8-bit tensor are stored."""
_NARROW: tuple[Precision, ...] = ("int8", "float16")
_SMALL = 1024
_LEAST_SCALE = 1e-30
_LEVELS = 127.0


def pack(tensors: Mapping[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """Convert tensors to their stored form; integers and booleans are unchanged.

    Raises:
        ValueError: a value is not finite or does not fit in float16.
    """
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if precision == "float32" or not tensor.is_floating_point():
            packed[name] = tensor
        elif precision == "float16" or tensor.squeeze().ndim < 2 or tensor.numel() < _SMALL:
            packed[name] = _to_half(name, tensor)
        else:
            packed[name], packed[name + SCALE] = _to_bytes(name, tensor)
    return packed


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Invert `pack`, up to rounding: float32 wherever half precision or 8 bits were stored."""
    wide: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(SCALE):
            continue
        scale = tensors.get(name + SCALE)
        if scale is not None:
            wide[name] = tensor.float() * scale.reshape(_row_shape(tensor))
        else:
            wide[name] = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
    return wide


def exact_precision(tensors: Mapping[str, Tensor]) -> Precision:
    """Return the narrowest lossless precision for these tensors."""
    for precision in _NARROW:
        try:
            back = unpack(pack(tensors, precision))
        except ValueError:
            continue
        if all(torch.equal(back[name], tensor) for name, tensor in tensors.items()):
            return precision
    return "float32"


def round_to(module: nn.Module, precision: Precision) -> None:
    """Round a network's weights like `pack`, so that evaluated and saved weights are equal."""
    module.load_state_dict(unpack(pack(module.state_dict(), precision)))


def _row_shape(tensor: Tensor) -> list[int]:
    """Return the shape of one number per row: the first axis longer than one, e.g. ``out`` of [1, out, in, 3, 3]."""
    axis = next((i for i, size in enumerate(tensor.shape) if size > 1), 0)
    return [size if i == axis else 1 for i, size in enumerate(tensor.shape)]


def _to_bytes(name: str, tensor: Tensor) -> tuple[Tensor, Tensor]:
    if not torch.isfinite(tensor).all():
        raise ValueError(f"tensor {name!r} holds values that are not finite")
    shape = _row_shape(tensor)
    others = [i for i, size in enumerate(shape) if size == 1]
    scale = _short((tensor.float().abs().amax(others, keepdim=True) / _LEVELS).clamp_min(_LEAST_SCALE))
    return (tensor.float() / scale).round().to(torch.int8), scale.flatten()


def _short(scale: Tensor) -> Tensor:
    """Round up to 16 bits of mantissa: level times scale is then exact, and packing twice gives the same bytes."""
    mantissa, exponent = torch.frexp(scale)
    return torch.ldexp((mantissa * 65536.0).ceil() / 65536.0, exponent)


def _to_half(name: str, tensor: Tensor) -> Tensor:
    small = tensor.to(torch.float16)
    if not torch.isfinite(small).all():
        raise ValueError(f"tensor {name!r} does not fit in float16 (largest magnitude {tensor.abs().max():.3g})")
    return small
