"""Set the numerical precision: one policy for edits, training and measurements, part of a cell's identity.

``highest``
    float32 throughout. By torch's default, convolutions on CUDA may round their inputs to TF32.
``tf32``
    float32 whose products a CUDA device may round to TF32 (10 bits of mantissa).
``bf16``
    as ``highest``, but the generator runs in bfloat16 (8 bits), and a training in mixed precision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    import torch

    from textedit_bench.models.stylegan2 import Generator

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
    import torch

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
    import torch

    with torch.autocast(styles.device.type, torch.bfloat16):
        return synthesize(styles, **options).float()
