"""Write pictures to a zip in the background: encoded by threads, stored in the order in which they were added."""

from __future__ import annotations

import os
import secrets
import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from textedit_bench.data.pixels import Pixels
from textedit_bench.data.png import encode_png
from textedit_bench.files import TEMPORARY

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every entry of a zip, fixed so that the bytes depend only on the pictures."""
THREADS = min(4, os.cpu_count() or 1)
WAITING_BYTES = 1 << 28
"""Bytes of pixels that may be queued; adding more blocks until there is room."""


class PictureWriter:
    """An uncompressed zip of PNG files, written while the next pictures are computed.

        with PictureWriter(path) as writer:
            for batch in batches:
                writer.add({"0.5": weak, "1": strong}, names)  # returns while they are being encoded

    The file is complete after the end, or does not exist. An error of a thread or of the disk is raised by the next
    `add` or at the end. Added arrays must not be changed before the end.

    Args:
        path: the zip to write.
        threads: number of encoding threads.
        waiting_bytes: maximum bytes of pixels in the queue.
    """

    def __init__(self, path: Path, threads: int = THREADS, waiting_bytes: int = WAITING_BYTES) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")
        self._archive = zipfile.ZipFile(self._temporary, "w", zipfile.ZIP_STORED)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="png")
        self._queue: deque[tuple[str, Future[bytes], int]] = deque()
        self._waiting, self._most = 0, waiting_bytes

    def add(self, groups: Mapping[str, Pixels], names: Sequence[str]) -> None:
        """Add ``<group>/<name>.png`` for every group and name.

        A picture that consecutive groups share is encoded once.

        Args:
            groups: group name -> 8-bit [N, H, W, 3].
            names: N file names without an ending.
        """
        last: dict[str, tuple[Pixels, Future[bytes]]] = {}
        for group, pixels in groups.items():
            for name, picture in zip(names, pixels, strict=True):
                new = name not in last or not np.array_equal(last[name][0], picture)
                if new:
                    last[name] = picture, self._pool.submit(encode_png, picture)
                size = picture.nbytes if new else 0
                self._queue.append((f"{group}/{name}.png", last[name][1], size))
                self._waiting += size
                self._store(self._most)

    def close(self) -> None:
        """Wait for pending pictures, and finish the file."""
        try:
            self._store(-1)
            self._archive.close()
            self._temporary.replace(self._path)
        finally:
            self._give_up()

    def _store(self, most: int) -> None:
        """Store pictures from the head of the queue while too many bytes are pending, and all that are ready."""
        while self._queue and (self._waiting > most or self._queue[0][1].done()):
            path, encoded, size = self._queue.popleft()
            self._waiting -= size
            self._archive.writestr(zipfile.ZipInfo(path, EPOCH), encoded.result())

    def _give_up(self) -> None:
        self._queue.clear()
        self._pool.shutdown(cancel_futures=True)
        self._archive.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._give_up()
