"""Timing of two ways of computing the same thing, side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Timing:
    """One row: medians in seconds, `ratio` = textbook / ours, `error` = largest difference over largest value."""

    name: str
    ours_s: float
    textbook_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    error: float
    share_of_convolution: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def synchronised(call: Callable[[], Any], device: torch.device) -> float:
    """Seconds one call takes, the accelerator's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], Tensor],
    textbook: Callable[[], Tensor],
    *,
    repeats: int,
    tolerance: float,
    device: torch.device,
    flops: float | None = None,
    convolution_rate: float | None = None,
) -> Timing:
    """Times both in alternation, after one call each whose results must agree.

    Args:
        name: shown in the table.
        ours, textbook: calls returning the same tensor.
        repeats: timed calls of each.
        tolerance: largest allowed difference, relative to the largest value.
        device: where the work runs.
        flops: multiply-adds times two of one call, for the share of the plain-convolution rate.
        convolution_rate: that rate, in operations per second.

    Raises:
        AssertionError: the two results differ.
    """
    expected, actual = textbook(), ours()
    error = float((actual.double() - expected.double()).abs().max() / expected.double().abs().max())
    assert error <= tolerance, f"{name}: results differ by {error:.2g} of the largest value (allowed {tolerance:.2g})"
    del expected, actual
    pairs = [(synchronised(ours, device), synchronised(textbook, device)) for _ in range(repeats)]
    mine, theirs = statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
    ratios = sorted(b / a for a, b in pairs)
    share = flops / mine / convolution_rate if flops and convolution_rate else None
    return Timing(name, mine, theirs, theirs / mine, ratios[0], ratios[-1], error, share)


def convolution_rate(
    device: torch.device, dtype: torch.dtype = torch.float32, side: int = 64, repeats: int = 5
) -> float:
    """Operations per second of a plain 3x3 convolution, 512 to 512 channels, channels last."""
    x = torch.randn(1, 512, side, side, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(512, 512, 3, 3, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)

    def call() -> Tensor:
        return torch.nn.functional.conv2d(x, weight, padding=1)

    call()
    seconds = statistics.median(synchronised(call, device) for _ in range(repeats))
    return 2.0 * 9 * 512 * 512 * side * side / seconds
