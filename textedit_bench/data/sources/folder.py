"""A tree of picture files, FFHQ's ``00000/00000.png`` nesting included."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from pathlib import Path

from textedit_bench.data.decode import MAX_BYTES, SUFFIXES, UnusableImageError
from textedit_bench.data.sources.source import Entry
from textedit_bench.errors import UserError

NAMES_AT_ONCE = 16_384
"""Names held in memory; a flat folder of more is read once per so many."""


class FolderSource:
    """Picture files below a folder, by name within each folder, hidden ones left out.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self) -> Iterator[Entry]:
        """Files in the order of their names, folder by folder; see `ImageSource.entries`."""
        if not self.root.is_dir():
            raise UserError(f"source {self.root}: there is no such folder; expected a folder of pictures")
        found = False
        for key in self._walk("", ()):
            found = True
            yield Entry(key, key)
        if not found:
            raise UserError(f"source {self.root}: {_what_it_is(self.root)}")

    def read(self, entry: Entry) -> bytes:
        """The file's bytes; see `ImageSource.read`."""
        path = self.root / entry.where
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise UnusableImageError(f"{size} bytes; at most {MAX_BYTES} are read")
            return path.read_bytes()
        except OSError as error:
            raise UnusableImageError(f"cannot be read ({error.strerror or error})") from error

    def _walk(self, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        folder = self.root / below
        status = folder.stat()
        this = (status.st_dev, status.st_ino)
        if this in above:  # a link back to a folder we are in
            return
        for name, is_folder in _sorted_names(folder):
            key = f"{below}{name}"
            if is_folder:
                yield from self._walk(f"{key}/", (*above, this))
            else:
                yield key


def _sorted_names(folder: Path) -> Iterator[tuple[str, bool]]:
    """Names of pictures and folders in order, each with whether it is a folder; few of them in memory at a time."""
    last = ""
    while True:
        with os.scandir(folder) as listed:
            later = ((entry.name, entry.is_dir()) for entry in listed if entry.name > last and _wanted(entry))
            names = heapq.nsmallest(NAMES_AT_ONCE, later)
        yield from names
        if len(names) < NAMES_AT_ONCE:
            return
        last = names[-1][0]


def _wanted(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and (entry.name.lower().endswith(SUFFIXES) or entry.is_dir())


def _what_it_is(folder: Path) -> str:
    """What a folder without pictures seems to be, and what was expected."""
    expected = f"expected files that end in {', '.join(SUFFIXES)}, such as 00000/00000.png"
    if (folder / "data.mdb").exists():
        return f"this is an LMDB; write 'kind: lmdb' on the card ({expected})"
    for name, what in ((".tfrecords", "TFRecords, which are not read"), (".zip", "zip files; name one of them")):
        if any(folder.glob(f"*{name}")):
            return f"holds {what}; {expected}"
    return f"holds no pictures; {expected}"
