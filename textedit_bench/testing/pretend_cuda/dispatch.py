"""Execute operators on tensors of the emulated device, from Python and from backward passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from textedit_bench.testing.pretend_cuda.operators import INDEXING, flops, undetermined, wait_of
from textedit_bench.testing.pretend_cuda.tensor import OnDevice, device_of, inner_of

if TYPE_CHECKING:
    from textedit_bench.testing.pretend_cuda.device import PretendCuda


def run(cuda: PretendCuda, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Execute one operator with a tensor on the device.

    Raises:
        DeviceMix: it was given tensors of two devices.
    """
    name = func.overloadpacket.__name__
    tensors = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
    _check_devices(cuda, name, args, kwargs, tensors)
    _note(cuda, name, args)
    if cuda.shapes_only and name in ("_local_scalar_dense", "equal"):
        return torch.zeros((), dtype=args[0].dtype).item()
    device = next(tensor.card for tensor in tensors if isinstance(tensor, OnDevice))
    made = func(*tree_map(inner_of, args), **tree_map(inner_of, kwargs))
    known = _written(func, args, kwargs) if func._schema.is_mutable else {}

    def wrapped(value: Any) -> Any:
        if not isinstance(value, Tensor) or isinstance(value, OnDevice):
            return value
        return known[id(value)] if id(value) in known else OnDevice(value, device)

    return tree_map(wrapped, made)


def _check_devices(
    cuda: PretendCuda, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Tensor]
) -> None:
    places = {tensor.card for tensor in tensors if isinstance(tensor, OnDevice)}
    plain = [tensor for tensor in tensors if not isinstance(tensor, OnDevice) and tensor.dim()]
    if name == "copy_":
        target, source = args[:2]
        waits = not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
        if waits and isinstance(target, OnDevice) != isinstance(source, OnDevice):
            kind = "host to device" if isinstance(target, OnDevice) else "device to host"
            cuda.wait(kind, source.numel() * source.element_size())
    elif name in INDEXING:
        if not isinstance(args[0], OnDevice) or len(places) > 1:
            cuda.mix(name, tensors)
        if plain:
            cuda.wait("index on the host")
    elif len(places) > 1 or plain:
        cuda.mix(name, tensors)


def _note(cuda: PretendCuda, name: str, args: tuple[Any, ...]) -> None:
    cuda.record.ops[name] += 1
    kind = wait_of(name, args)
    if kind:
        cuda.wait(kind)
    if undetermined(name, args):
        cuda.record.undetermined[name, cuda.places.find()] += 1
    count = flops(name, args)
    if count:
        cuda.record.flops.setdefault(args[0].dtype, type(cuda.record.ops)())[cuda.places.find()] += count


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[int, Tensor]:
    """Return tensors that the operator changes in place, by the identity of their storage."""
    known = {}
    for index, argument in enumerate(func._schema.arguments):
        value = args[index] if index < len(args) else kwargs.get(argument.name)
        if argument.alias_info is not None and argument.alias_info.is_write:
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(each, Tensor):
                    known[id(inner_of(each))] = each
    return known


def shown(tensors: list[Tensor]) -> str:
    """Describe shapes, types and devices, for a message."""
    return ", ".join(f"{tuple(t.shape)} {str(t.dtype)[6:]} on {device_of(t)}" for t in tensors[:5])
