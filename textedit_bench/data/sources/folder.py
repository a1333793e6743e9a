"""A tree of picture files, including FFHQ's ``00000/00000.png`` nesting."""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterator
from pathlib import Path

from textedit_bench.data.decode import SUFFIXES, read_encoded
from textedit_bench.data.sources.source import Entry
from textedit_bench.errors import UserError

NAMES_AT_ONCE = 16_384
"""Maximum number of names in memory; a larger flat folder is read once per so many names."""


class FolderSource:
    """Picture files below a folder, sorted by name within each folder, without hidden ones.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self) -> Iterator[Entry]:
        """Iterate over files sorted by name, folder by folder; see `ImageSource.entries`."""
        found = False
        try:
            if not self.root.is_dir():
                raise UserError(f"source {self.root}: there is no such folder; expected a folder of pictures")
            for key in self._walk("", ()):
                found = True
                # A name in another encoding can neither be printed nor hashed.
                yield Entry(os.fsencode(key).decode("utf-8", "backslashreplace"), key)
            if not found:
                raise UserError(f"source {self.root}: {_what_it_is(self.root)}")
        except OSError as error:  # of a folder: a file that cannot be used is left to `read`
            where, why = error.filename or self.root, error.strerror or error
            raise UserError(
                f"source {self.root}: {where} cannot be opened ({why}); expected a readable folder"
            ) from error

    def read(self, entry: Entry) -> bytes:
        """Read the file's bytes; see `ImageSource.read`."""
        return read_encoded(self.root / entry.where)

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


def picture_names(folder: Path) -> list[str]:
    """List the names of picture files directly in a folder, sorted, without hidden files.

    Raises:
        UserError: it cannot be read, or has no pictures.
    """
    try:
        names = [name for name, is_folder in _sorted_names(folder) if not is_folder]
        if not names:
            raise UserError(f"{folder}: {_what_it_is(folder)}")
    except OSError as error:
        raise UserError(f"{folder}: cannot be opened ({error.strerror or error})") from error
    return names


def _sorted_names(folder: Path) -> Iterator[tuple[str, bool]]:
    """Iterate over names of pictures and folders in order, with whether each is a folder; in bounded memory."""
    last = ""
    while True:
        with os.scandir(folder) as listed:
            later = ((entry.name, _is_folder(entry)) for entry in listed if entry.name > last and _wanted(entry))
            names = heapq.nsmallest(NAMES_AT_ONCE, later)
        yield from names
        if len(names) < NAMES_AT_ONCE:
            return
        last = names[-1][0]


def _wanted(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and (entry.name.lower().endswith(SUFFIXES) or _is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether to descend into it; a name with a picture's extension that cannot be inspected is taken for a file."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP or entry.name.lower().endswith(SUFFIXES):  # ELOOP: a link to itself
            return False
        raise


def _what_it_is(folder: Path) -> str:
    """Describe what a folder without pictures seems to be, and what was expected."""
    expected = f"expected files that end in {', '.join(SUFFIXES)}, such as 00000/00000.png"
    if (folder / "data.mdb").exists():
        return f"this is an LMDB; write 'kind: lmdb' on the card ({expected})"
    for name, what in ((".tfrecords", "TFRecords, which are not read"), (".zip", "zip files; name one of them")):
        if any(folder.glob(f"*{name}")):
            return f"holds {what}; {expected}"
    return f"holds no pictures; {expected}"
