"""Check device names, copy tensors to devices, and fix the number of CPU threads and the numerical precision.

One precision holds for edits, training and measurements, and is part of a cell's identity:

``highest``
    float32 throughout. By torch's default, convolutions on CUDA may round their inputs to TF32.
``tf32``
    float32 whose products a CUDA device may round to TF32 (10 bits of mantissa).
``bf16``
    as ``highest``, but the generator runs in bfloat16 (8 bits), and a training in mixed precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


STANDARD_THREADS = 1
"""Fixed for every machine: float sums, and so records and weights, depend on the number of threads.

Small networks hardly gain from a second one: two processes of one thread each use two cores far better."""


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


HIGHEST, TF32, BF16 = PRECISIONS = ("highest", "tf32", "bf16")


def check_precision(precision: str, device: str) -> None:
    """Refuse a precision that is unknown or not supported by the kind of device.

    Raises:
        UserError: the precision is not available.
    """
    if precision not in PRECISIONS:
        raise unknown_choice("precision", str(precision), PRECISIONS)
    if precision == TF32 and not device.startswith("cuda"):
        raise UserError(f"precision: tf32 is one of CUDA devices, not of {device!r}; valid: {HIGHEST}, {BF16}")


def use_precision(precision: str, device: torch.device) -> None:
    """Set torch's precision for this process; no effect on the CPU, which always computes in float32.

    Raises:
        UserError: see `check_precision`.
    """
    check_precision(precision, device.type)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high" if precision == TF32 else "highest")
        torch.backends.cudnn.allow_tf32 = precision == TF32


def synthesis_in(generator: Generator, precision: str) -> Generator:
    """Make the generator run its convolutions in this precision; pictures remain float32."""
    if precision == BF16:
        generator.synthesize_style = partial(_in_bfloat16, generator.synthesize_style)  # type: ignore[method-assign]
    return generator


def _in_bfloat16(synthesize: Callable[..., torch.Tensor], styles: torch.Tensor, **options: Any) -> torch.Tensor:
    with torch.autocast(styles.device.type, torch.bfloat16):
        return synthesize(styles, **options).float()
