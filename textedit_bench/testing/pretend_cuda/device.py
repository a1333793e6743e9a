"""The emulated device as a context manager, with its statistics."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from textedit_bench.testing.pretend_cuda.answers import CardGenerator, answers
from textedit_bench.testing.pretend_cuda.calls import CPU, answer, moved
from textedit_bench.testing.pretend_cuda.dispatch import shown
from textedit_bench.testing.pretend_cuda.memory import Memory
from textedit_bench.testing.pretend_cuda.places import PROJECT, Places
from textedit_bench.testing.pretend_cuda.record import Record, Seen
from textedit_bench.testing.pretend_cuda.tensor import DeviceMix, OnDevice, grouped


class PretendCuda(TorchFunctionMode):
    """A context in which torch has CUDA devices that are computed on the CPU.

    Args:
        devices: how many cards there are.
        strict: whether what CUDA would refuse raises; otherwise it is counted and carried out.
        shapes_only: compute no numbers on the device, only shapes and bytes; what comes back to the host is zeros.
        only: the one card that may be used; a tensor on another raises at its line.
        packages: top-level names of the packages whose lines are named.

    Attributes:
        record: everything that was counted.
        memory: bytes that live on the device.
    """

    def __init__(
        self,
        devices: int = 1,
        strict: bool = True,
        shapes_only: bool = False,
        only: int | None = None,
        packages: tuple[str, ...] = PROJECT,
    ) -> None:
        super().__init__()
        self.count, self.strict, self.shapes_only, self.now = devices, strict, shapes_only, 0
        self.only = None if only is None else torch.device("cuda", only)
        self.places = Places(packages)
        self.record = Record()
        self.memory = Memory(lambda: self.places.find(3))

    def __enter__(self) -> PretendCuda:
        if OnDevice.active is not None:
            raise RuntimeError("a device is already emulated")
        with ExitStack() as stack:
            for name, value in answers(self).items():
                stack.enter_context(mock.patch.object(torch.cuda, name, value))
            for name in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):
                if hasattr(torch.optim.Optimizer, name):
                    stack.enter_context(mock.patch.object(torch.optim.Optimizer, name, lambda *_: None))
            if hasattr(torch._C, "_group_tensors_by_device_and_dtype"):
                stack.enter_context(mock.patch.object(torch._C, "_group_tensors_by_device_and_dtype", grouped))
            stack.enter_context(mock.patch.object(torch, "Generator", CardGenerator))
            stack.enter_context(mock.patch.object(threading.Thread, "run", self._in_thread(threading.Thread.run)))
            # Module.to has to create new parameters: data of another device cannot be assigned to an old one.
            future: Any = torch.__future__
            stack.callback(
                future.set_overwrite_module_params_on_conversion, future.get_overwrite_module_params_on_conversion()
            )
            future.set_overwrite_module_params_on_conversion(True)
            OnDevice.active = self
            stack.callback(setattr, OnDevice, "active", None)
            super().__enter__()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            super().__exit__(*error)
        finally:
            self._stack.close()

    def _in_thread(self, run: Any) -> Any:
        """Activate the emulation in new threads too: function modes are per thread."""

        def seen(thread: threading.Thread) -> None:
            if OnDevice.active is not self:
                return run(thread)
            TorchFunctionMode.__enter__(self)
            try:
                return run(thread)
            finally:
                TorchFunctionMode.__exit__(self, None, None, None)

        return seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return answer(self, func, args, dict(kwargs or {}))

    # What a call or an operator asks.

    def set_device(self, device: Any) -> None:
        """Set the current device, to which plain ``cuda`` refers."""
        number = device if isinstance(device, int) else torch.device(device).index
        self.now = self.now if number is None or number < 0 else number

    def device(self, value: Any) -> torch.device:
        """Return a device with its index.

        Raises:
            RuntimeError: there is no such card.
        """
        device = torch.device("cuda", value) if isinstance(value, int) else torch.device(value)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", self.now)
        if device.type == "cuda" and device.index >= self.count:
            raise RuntimeError(f"CUDA error: invalid device ordinal {device.index} at {self.places.find(3)}")
        return device

    def check_card(self, device: torch.device) -> None:
        """Record, and if strict raise, the creation of a tensor on a forbidden GPU."""
        if self.only is not None and device != self.only:
            self.fault(f"tensor on {device}", f"a tensor is made on {device}, while {self.only} was asked for")

    def wait(self, kind: str, size: int = 0) -> None:
        """Count one synchronisation, and the bytes it copies."""
        where = self.places.find()
        self.record.syncs[kind, where] += 1
        self.record.bytes[kind, where] += size

    def mix(self, name: str, tensors: list[Tensor]) -> None:
        """Record, and if strict raise, an operator with tensors of two devices."""
        self.fault(name, f"Expected all tensors to be on the same device: {name} of {shown(tensors)}")

    def fault(self, name: str, told: str, kind: type[Exception] = DeviceMix) -> None:
        """Record an error of CUDA, and raise it if strict."""
        self.record.mixes[name, self.places.find()] += 1
        if self.strict:
            raise kind(f"{told} at {self.places.find(3)}")

    def to_host(self, tensor: Tensor, kind: str) -> Tensor:
        """Copy a tensor from the device to the CPU, with a synchronisation."""
        self.wait(kind, tensor.numel() * tensor.element_size())
        return moved(self, tensor, CPU, waits=False)

    # What was seen.

    @property
    def syncs(self) -> Seen:
        """Synchronisations: (kind, line) -> count."""
        return self.record.syncs

    @property
    def ops(self) -> Counter[str]:
        """Operators: name -> count."""
        return self.record.ops

    def clear(self) -> None:
        """Reset all counts, but not live bytes."""
        self.record.clear()

    def report(self, top: int = 25) -> None:
        """Print the statistics."""
        self.record.report(top)
