"""Record what a run ran on, and measure its time and memory; never part of a cell's identity."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import textedit_bench

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "pillow", "safetensors", "open_clip_torch")


def environment() -> dict[str, Any]:
    """Return versions, platform, git revision (None outside a checkout), and GPUs if this process uses CUDA."""
    return {**_environment(), **_cards()}


def _cards() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    return {
        "cards": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32": torch.backends.cudnn.allow_tf32,
    }


@cache
def _environment() -> dict[str, Any]:
    return {
        "textedit_bench": textedit_bench.__version__,
        "git_revision": _revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Return the revision of the checkout that contains this package, with ``+changes`` if files were modified."""
    root = Path(textedit_bench.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        return f"{head}+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


_STATUS = Path("/proc/self/status")
_LARGE = 512
"""Side in pixels from which intermediates of a single picture take megabytes."""


@dataclass
class Meter:
    """Records seconds per stage and the peak memory since `start`."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Reset the peaks, if the platform allows it."""
        # Writing 5 resets the kernel's high-water mark of this process (proc(5), clear_refs).
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage; synchronises the device at both ends."""
        self._wait()
        began = time.perf_counter()
        try:
            yield
        finally:
            self._wait()
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

    def rows(self, images: int) -> list[dict[str, float | int | str]]:
        """Return one row per stage: seconds for ``images`` edited images, peak bytes of main and device memory."""
        host, device = self.peak_bytes()
        return [
            {"stage": stage, "images": images, "seconds": seconds, "host_peak_bytes": host, "device_peak_bytes": device}
            for stage, seconds in self.seconds.items()
        ]

    def peak_bytes(self) -> tuple[int, int]:
        """Return peak resident memory of the process and peak allocated memory of the device (0 for the CPU)."""
        device = torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else 0
        return _host_peak(), device

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def return_free_memory(resolution: int) -> None:
    """Return freed memory that the C library holds to the kernel, after work on large pictures (glibc only).

    Work on large pictures fragments the heap, so that the next ones do not fit into the free pieces: without this, a
    bench of photos of 1024 pixels grows to 1.5 times the memory it uses. For small pictures it would only cost time.
    """
    if resolution >= _LARGE and sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _host_peak() -> int:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # a platform without this information
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
