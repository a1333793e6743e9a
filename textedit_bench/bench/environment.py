"""Record the environment of a run; never part of a cell's identity."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

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
