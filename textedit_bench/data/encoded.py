"""Read the bytes of one picture file: only regular files, up to a maximum size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from textedit_bench.data.decode import MAX_BYTES, UnusableImageError


def read_encoded(path: Path) -> bytes:
    """Read the encoded bytes of a picture file.

    Raises:
        UnusableImageError: the file cannot be read; for a missing file the cause is a `FileNotFoundError`.
    """
    try:
        # Checked before opening: a pipe waits for a writer that may never come, a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnusableImageError("not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise UnusableImageError(f"{size} bytes; at most {MAX_BYTES} are read")
            return file.read(size)
    except UnusableImageError:
        raise
    except (OSError, ValueError) as error:  # a ValueError for a name with a null character
        raise UnusableImageError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
