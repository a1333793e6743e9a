"""Match state dicts with networks, check their values, and pack them in 8 bits.

Eight bits keep each weight within 1/254 of the largest of its row (an output channel), which halves what half
precision takes. Vectors and small tensors (biases, norms, scales) stay in half precision: they weigh nothing and errors
in them add up over whole channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError

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


Value = TypeVar("Value")

_WRAPPERS = re.compile(r"(^|\.)(?:(?:module|_orig_mod)\.)+")
"""`DataParallel` and `AveragedModel`; `torch.compile`."""
_COUNTER = "n_averaged"
"""Number of steps, which `AveragedModel` stores with the network."""


def plain_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """Return the same values under the names of the unwrapped network, at any depth of wrapping.

    >>> plain_names({"module.encoder.module.body.0.weight": 1})
    {'encoder.body.0.weight': 1}
    """
    plain = {_WRAPPERS.sub(r"\1", str(name)): value for name, value in state.items() if name != _COUNTER}
    return plain if len(plain) == len(state) - (_COUNTER in state) else {str(n): v for n, v in state.items()}


SHOWN = 4


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], source: str, hint: str = "") -> None:
    """Copy `state` into `network`; names and shapes of all tensors must match.

    BatchNorm counters (`num_batches_tracked`) may be absent: old files lack them and evaluation does not read them.

    Args:
        network: target, changed in place.
        state: names and tensors.
        source: file name for the message.
        hint: sentence added to the message, such as what the file resembles.

    Raises:
        CheckpointError: names the missing, surplus and misshapen tensors, or the first that holds nan or infinity.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    surplus = [name for name in state if name not in own]
    misshapen = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    unlike = [name for name in own if name in state and not _can_be(state[name], own[name])]
    kinds = (("missing", missing), ("surplus", surplus), ("misshapen", misshapen), ("not plain numbers", unlike))
    faults = [f"{len(names)} {what} ({_some(names)})" for what, names in kinds if names]
    if faults:
        raise CheckpointError(
            f"{source}: tensors do not fit {type(network).__name__}: {'; '.join(faults)}.{hint and ' ' + hint}"
        )
    learnt = {name for name, _ in network.named_parameters()}
    # A mask may hold infinity: what the network itself puts there is right.
    checked = [name for name in own if name in state and (name in learnt or is_finite(own[name]))]
    refuse_not_finite({name: state[name] for name in checked}, source)
    network.load_state_dict(dict(state), strict=False)


def _can_be(given: Tensor, own: Tensor) -> bool:
    """Whether a stored tensor can be loaded: dense, of the same kind, and with data."""
    there = given.layout == torch.strided and not given.is_quantized and (own.is_meta or not given.is_meta)
    return there and given.is_floating_point() == own.is_floating_point() and given.is_complex() == own.is_complex()


def refuse_not_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse weights with nan or infinity, which give black pictures.

    Args:
        tensors: by name.
        source: file name for the message.

    Raises:
        CheckpointError: a tensor holds nan or infinity.
    """
    for name, tensor in tensors.items():
        if not is_finite(tensor):
            bad = int((~tensor.isfinite()).sum())
            raise CheckpointError(
                f"{source}: {name} holds values that are not finite ({bad} of {tensor.numel()} are nan or infinite)"
            )


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite; tests the sum first, which fails only if finite numbers overflow."""
    return (
        not tensor.is_floating_point()
        or tensor.is_meta
        or bool(tensor.sum().isfinite())
        or bool(tensor.isfinite().all())
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f", and {rest} more" if rest > 0 else "")
