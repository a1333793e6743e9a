"""Check that a disk has enough space for a download."""

from __future__ import annotations

import shutil
from pathlib import Path

from textedit_bench.assets.transfer import TransferError


def check_room(target: Path, needed: int) -> None:
    """Refuse a file or folder for which its disk has no space; its parent folder exists.

    Raises:
        TransferError: fewer than ``needed`` bytes are free.
    """
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise TransferError(
            f"{target}: needs {needed / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left; make room or set "
            "TEXTEDIT_BENCH_HOME to a larger disk"
        )
