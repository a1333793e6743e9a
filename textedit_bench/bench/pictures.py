"""Read and write stored pictures: 8-bit RGB, lossless, many in one uncompressed zip, written in the background."""

from __future__ import annotations

import os
import re
import secrets
import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from textedit_bench.data.decode import decode
from textedit_bench.data.pixels import Pixels, encode_png, to_images, to_uint8
from textedit_bench.files import TEMPORARY

__all__ = ["Pixels", "file_names", "read_pictures", "strength_name", "to_images", "to_uint8", "write_pictures"]


def write_pictures(
    path: Path, groups: Mapping[str, Pixels], ids: Sequence[str], among: Sequence[str] | None = None
) -> None:
    """Write ``<group>/<id>.png`` for every group and image; the same pixels give the same bytes.

    Args:
        path: the zip to write.
        groups: group name -> 8-bit [N, H, W, 3].
        ids: N image names.
        among: names of all images of the cell, if these are a part of them.
    """
    with PictureWriter(path) as writer:
        writer.add(groups, file_names(ids, among))


def read_pictures(
    path: Path, ids: Sequence[str], groups: Sequence[str], among: Sequence[str] | None = None
) -> dict[str, Pixels]:
    """Read groups that `write_pictures` wrote, each 8-bit [N, H, W, 3] in the order of ``ids``.

    Raises:
        KeyError: a picture does not exist.
    """
    found = {}
    with zipfile.ZipFile(path) as archive:
        for group in groups:
            names = [f"{group}/{name}.png" for name in file_names(ids, among)]
            found[group] = np.stack([np.asarray(decode(archive.read(name))) for name in names])
    return found


def file_names(ids: Sequence[str], among: Sequence[str] | None = None) -> list[str]:
    """Return file names for image ids: safe characters only, numbered if two would be equal.

    Args:
        ids: image names.
        among: names of all images; ``ids`` themselves if None.
    """
    everyone = ids if among is None else among
    names = [re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".")[:100] or "_" for text in everyone]
    if len(set(names)) != len(names):
        names = [f"{i:05d}-{name}" for i, name in enumerate(names)]
    if among is None:
        return names
    known = dict(zip(everyone, names, strict=True))
    return [known[text] for text in ids]


def strength_name(strength: float) -> str:
    """Return the name of a strength as a group of pictures: ``0.25``, ``1``."""
    return format(strength, "g")


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
