"""Statistics of the emulated device."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TextIO

import torch

Seen = Counter[tuple[str, str]]


class Record:
    """Counts by kind and source line.

    Attributes:
        syncs: waits for the device, (kind, line) -> times.
        bytes: bytes that those waits copied, likewise.
        undetermined: operators without a deterministic CUDA kernel, (name, line) -> times.
        mixes: what CUDA would refuse, such as operators that were given tensors of two devices, (name, line) -> times.
        ops: operators of all kinds, name -> times.
        flops: operations of products and convolutions, precision -> line -> operations.
    """

    def __init__(self) -> None:
        self.syncs: Seen = Counter()
        self.bytes: Seen = Counter()
        self.undetermined: Seen = Counter()
        self.mixes: Seen = Counter()
        self.ops: Counter[str] = Counter()
        self.flops: dict[torch.dtype, Counter[str]] = {torch.float64: Counter(), torch.float32: Counter()}

    def clear(self) -> None:
        """Reset all counts."""
        for counts in (self.syncs, self.bytes, self.undetermined, self.mixes, self.ops, *self.flops.values()):
            counts.clear()  # type: ignore[attr-defined]

    def report(self, top: int = 25, stream: TextIO | None = None) -> None:
        """Print the largest counts."""
        print("\n".join(self.lines(top)), file=stream or sys.stdout)

    def lines(self, top: int = 25) -> list[str]:
        """Format the largest counts of every kind."""
        found = ["waits for the device:"]
        for (kind, where), times in self.syncs.most_common(top):
            size = self.bytes[kind, where]
            found.append(f"  {times:6d} x {kind:26s} {where}" + (f"  ({size / 1e6:.1f} MB)" if size > 1e5 else ""))
        for title, counts in (("not deterministic on CUDA", self.undetermined), ("devices mixed", self.mixes)):
            if counts:
                found.append(f"{title}:")
                found += [f"  {times:6d} x {name:36s} {where}" for (name, where), times in counts.most_common(top)]
        double, single = self.flops[torch.float64], self.flops[torch.float32]
        if double:
            found.append(f"products in double precision ({sum(single.values()) / 1e9:.3f} GFLOP in single):")
            found += [f"  {count / 1e9:10.4f} GFLOP {where}" for where, count in double.most_common(top)]
        return found
