"""Check device names, copy tensors to devices, and fix the number of CPU threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from textedit_bench.errors import UserError

STANDARD_THREADS = 2
"""Fixed for every machine: float sums, and so records and weights, depend on the number of threads."""


def checked_device(name: str | torch.device) -> torch.device:
    """Return the device of a name.

    Args:
        name: ``cpu``, ``cuda`` or ``cuda:<index>``.

    Raises:
        UserError: the name is invalid, or this machine does not have the device.
    """
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"device: {name!r} is unknown; valid: cpu, cuda, cuda:<index>") from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise UserError(f"device: {str(name)!r} asked, but torch sees no CUDA device; valid: cpu")
        if device.index is not None and device.index >= count:
            valid = ", ".join(["cpu", "cuda", *cuda_cards()])
            raise UserError(f"device: {str(name)!r} asked, but there are {count} CUDA devices; valid: {valid}")
    return device


def cuda_cards() -> list[str]:
    """List the CUDA devices that torch sees: ``cuda:0`` and so on."""
    return [f"cuda:{index}" for index in range(torch.cuda.device_count())]


def sent(tensor: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Copy a tensor from the host to a device, optionally converted, without synchronising the GPU.

    Plain ``Tensor.to`` waits until the GPU has finished all queued work.
    """
    tensor = tensor if dtype is None else tensor.to(dtype)
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


@contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Run the block with ``count`` CPU threads in torch, on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
