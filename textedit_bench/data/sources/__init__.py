"""Image sources: the photos of a data set as a stream."""

from pathlib import Path

from textedit_bench.data.sources.archive import ZipSource
from textedit_bench.data.sources.folder import FolderSource
from textedit_bench.data.sources.lsun import LmdbSource
from textedit_bench.data.sources.source import Entry, ImageSource

__all__ = ["Entry", "FolderSource", "ImageSource", "LmdbSource", "ZipSource", "open_source"]


def open_source(kind: str, path: Path) -> ImageSource:
    """Open a source of the card's kind (``folder``, ``zip``, ``lmdb``) at a path; nothing is read yet."""
    kinds: dict[str, type[FolderSource | ZipSource | LmdbSource]] = {
        "folder": FolderSource,
        "zip": ZipSource,
        "lmdb": LmdbSource,
    }
    return kinds[kind](path)
