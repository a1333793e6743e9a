"""A tensor that reports to be on a CUDA device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    from textedit_bench.testing.pretend_cuda.device import PretendCuda


class DeviceMix(RuntimeError):
    """CUDA's error: Expected all tensors to be on the same device."""


class OnDevice(torch.Tensor):
    """A tensor of the emulated device.

    Attributes:
        held: the CPU tensor with its numbers (on "meta" where only shapes are computed).
        card: the device it says it is on, with its number.
        active: the device that pretends now, or None.
    """

    active: ClassVar[PretendCuda | None] = None
    held: Tensor
    card: torch.device

    @staticmethod
    def __new__(cls, inner: Tensor, card: torch.device, requires_grad: bool = False) -> OnDevice:
        """Wrap a CPU tensor."""
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=torch.device("cpu"),
            requires_grad=requires_grad,
        )

    def __init__(self, inner: Tensor, card: torch.device, requires_grad: bool = False) -> None:
        self.card = card
        pretending().check_card(card)
        self.hold(inner)

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def hold(self, inner: Tensor) -> None:
        """Replace the data by others of the same shape."""
        before = self.__dict__.get("_release")
        if before is not None:
            before()
        self.held = inner
        self._release = pretending().memory.add(self, inner)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"OnDevice({tuple(self.shape)}, {self.dtype}, {self.card})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return pretending().to_host(self.detach(), "device to host (pickle)").__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made: Any = OnDevice(self.held.clone(), self.card)
        made = (
            torch.nn.Parameter(made, self.requires_grad)
            if isinstance(self, torch.nn.Parameter)
            else made.requires_grad_(self.requires_grad)
        )
        memo[id(self)] = made
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        from textedit_bench.testing.pretend_cuda.dispatch import run

        with torch._C.DisableTorchFunction():
            return run(pretending(), func, args, kwargs or {})


def pretending() -> PretendCuda:
    """Return the active emulated device.

    Raises:
        RuntimeError: there is none; a tensor outlived its device.
    """
    if OnDevice.active is None:
        raise RuntimeError("a tensor of an emulated device is used after the emulation ended")
    return OnDevice.active


def inner_of(value: Any) -> Any:
    """Return the CPU tensor of a tensor on the device; other values unchanged."""
    return value.held if isinstance(value, OnDevice) else value


def grouped(lists: list[list[Any]], with_indices: bool = False) -> dict[Any, tuple[list[list[Any]], list[int]]]:
    """Group lists of tensors by device and type, in place of torch's C++ function for optimisers."""
    positions: dict[Any, list[int]] = {}
    for position, tensor in enumerate(lists[0]):
        positions.setdefault((device_of(tensor), tensor.dtype), []).append(position)
    return {
        key: ([[each[position] for position in where] if each else [] for each in lists], where if with_indices else [])
        for key, where in positions.items()
    }


def device_of(tensor: Tensor) -> torch.device:
    """Return the reported device of a tensor."""
    return tensor.card if isinstance(tensor, OnDevice) else tensor.device
