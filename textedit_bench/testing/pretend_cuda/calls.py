"""Emulate Python calls to torch: devices, copies between them, constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.testing.pretend_cuda.tensor import OnDevice, device_of, inner_of

if TYPE_CHECKING:
    from textedit_bench.testing.pretend_cuda.device import PretendCuda

_CONSTANTS = frozenset({"tensor", "as_tensor", "new_tensor", "asarray", "scalar_tensor"})
CPU = torch.device("cpu")


def answer(cuda: PretendCuda, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Execute one call of a torch function, a tensor's method or attribute.

    Raises:
        DeviceMix: data or a generator of another device, where the device is strict; likewise:
        TypeError: numpy was asked for a tensor on the device.
    """
    name = getattr(func, "__name__", "")
    first = args[0] if args else None
    if name in ("__get__", "__set__"):
        return _attribute(cuda, func, name, first, args)
    if name in _CONSTANTS:
        return _constant(cuda, func, name, args, kwargs)
    if isinstance(first, Tensor):
        if name in ("to", "type_as"):
            return _to(cuda, first, args[1:], kwargs)
        if name == "cpu":
            return moved(cuda, first, CPU)
        if name == "cuda":
            asked = args[1] if len(args) > 1 else kwargs.get("device")
            return moved(cuda, first, cuda.device("cuda" if asked is None else asked))
        if name == "pin_memory":
            return first
    if isinstance(first, OnDevice):
        if name in ("numpy", "__array__"):
            told = f"can't convert {first.card} device type tensor to numpy (use Tensor.cpu())"
            cuda.fault(name, told, TypeError)
            return func(cuda.to_host(first, f"device to host ({name})"), *args[1:], **kwargs)
        if name in ("tolist", "__format__") and (name == "tolist" or not first.dim()):
            host = cuda.to_host(first.detach(), f"device to host ({name})")
            return host.tolist() if name == "tolist" else format(host.item(), *args[1:])
        if name == "data_ptr":
            return first.held.data_ptr()
        if name == "get_device":
            return first.card.index
        if name == "record_stream":
            return None
    return _made(cuda, func, first, args, kwargs)


def _made(cuda: PretendCuda, func: Any, first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Execute a factory, or any other call."""
    asked = kwargs.pop("device", None)
    device = cuda.device(asked) if asked is not None else device_of(first) if isinstance(first, OnDevice) else None
    generator = kwargs.get("generator")
    if generator is not None and generator.device.type != (device or CPU).type:
        told = f"Expected a '{(device or CPU).type}' device type for generator but found '{generator.device.type}'"
        cuda.fault(f"{getattr(func, '__name__', 'call')} with a generator of another device", told)
    if asked is None or device is None:
        return func(*args, **kwargs)
    if device.type == "meta":
        return func(*args, **kwargs, device=device)
    kwargs.pop("pin_memory", None)
    if device.type == "cuda" and cuda.shapes_only and not isinstance(first, Tensor):
        kwargs.pop("generator", None)
        kwargs["device"] = "meta"
    made = func(*args, **kwargs)
    if device.type == "cpu":
        return inner_of(made)
    if isinstance(made, OnDevice):
        return made if made.card == device else OnDevice(made.held, device)
    needs, made = made.requires_grad, made.detach()
    return OnDevice(made.to("meta") if cuda.shapes_only else made, device).requires_grad_(needs)


def _attribute(cuda: PretendCuda, func: Any, name: str, tensor: Any, args: tuple[Any, ...]) -> Any:
    attribute = getattr(func.__self__, "__name__", "")
    if not isinstance(tensor, OnDevice):
        return func(*args)
    if name == "__set__":
        if attribute != "data":
            return func(*args)
        if not isinstance(args[1], OnDevice):
            cuda.fault("data", f"data of a tensor on {tensor.card} set to one on the CPU")
        return tensor.hold(inner_of(args[1]))
    answers = {"device": tensor.card, "is_cuda": True, "is_cpu": False, "is_meta": False}
    return answers[attribute] if attribute in answers else func(*args)


def _to(cuda: PretendCuda, tensor: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Execute ``Tensor.to`` in all its forms, and ``type_as``."""
    asked, dtype, other = kwargs.get("device"), kwargs.get("dtype"), kwargs.get("other")
    flags = []
    for value in args:
        if isinstance(value, Tensor):
            other = value
        elif isinstance(value, torch.dtype):
            dtype = value
        elif isinstance(value, bool):
            flags.append(value)
        elif value is not None:
            asked = value
    device = None if asked is None else cuda.device(asked)
    if other is not None:
        device, dtype = device_of(other), other.dtype
    waits = not kwargs.get("non_blocking", flags[0] if flags else False)
    copied = kwargs.get("copy", flags[1] if len(flags) > 1 else False)
    out = tensor if dtype is None or dtype == tensor.dtype else torch.Tensor.type(tensor, dtype)
    layout = kwargs.get("memory_format")
    if layout is not None and layout != torch.preserve_format and out.dim() == 4:
        out = out.contiguous(memory_format=layout)
    if device is not None:
        out = moved(cuda, out, device, waits)
    return out.clone() if copied and out is tensor else out


def moved(cuda: PretendCuda, tensor: Tensor, device: torch.device, waits: bool = True) -> Tensor:
    """Copy a tensor to another device; a copy between host and device synchronises unless it is non-blocking."""
    here = device_of(tensor)
    if here == device:
        return tensor
    if "meta" in (here.type, device.type):
        return (
            OnDevice(tensor, device) if cuda.shapes_only and device.type == "cuda" else torch.Tensor.to(tensor, device)
        )
    if waits and here.type != device.type:
        kind = "host to device" if here.type == "cpu" else "device to host"
        cuda.wait(kind, tensor.numel() * tensor.element_size())
    result: Tensor = _Move.apply(tensor, device)
    return result


def _constant(cuda: PretendCuda, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Create a tensor from numbers of the host."""
    asked = kwargs.pop("device", None)
    device = None if asked is None else cuda.device(asked)
    if name == "new_tensor":
        like, *args = args  # type: ignore[assignment]
        device = device_of(like) if device is None else device
        kwargs.setdefault("dtype", like.dtype)
        func = torch.tensor
    given = args[0] if args else None
    made = given if isinstance(given, OnDevice) else func(*args, **kwargs)
    return made if device is None else moved(cuda, made, device)


class _Move(torch.autograd.Function):
    """A copy to another device, differentiable like ``Tensor.to``."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, device: torch.device) -> Tensor:
        ctx.back = device_of(tensor)
        return _copy(tensor.detach(), device)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _copy(gradients[0].detach(), ctx.back), None


def _copy(tensor: Tensor, device: torch.device) -> Tensor:
    with torch._C.DisableTorchFunction():
        inner = inner_of(tensor)
        if device.type == "cpu":
            return torch.zeros(inner.shape, dtype=inner.dtype) if inner.is_meta else inner.clone()
        shapes_only = OnDevice.active is not None and OnDevice.active.shapes_only
        return OnDevice(inner.to("meta") if shapes_only else inner.clone(), device)
