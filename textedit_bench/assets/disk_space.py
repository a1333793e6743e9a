"""Check that a disk has room for a download."""

from __future__ import annotations

import shutil
from pathlib import Path

from textedit_bench.assets.transfer import TransferError


def check_room(target: Path, needed: int) -> None:
    """Refuse a file or folder that its disk has no room for; the folder around it exists.

    Raises:
        TransferError: fewer than ``needed`` bytes are free.
    """
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise TransferError(
            f"{target}: needs {needed / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left; make room or set "
            "TEXTEDIT_BENCH_HOME to a larger disk"
        )
