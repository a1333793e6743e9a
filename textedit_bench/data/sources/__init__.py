"""Image sources: where the photos of a data set come from, read as a stream."""

from textedit_bench.data.sources.archive import ZipSource
from textedit_bench.data.sources.folder import FolderSource
from textedit_bench.data.sources.lsun import LmdbSource
from textedit_bench.data.sources.source import Entry, ImageSource

__all__ = ["Entry", "FolderSource", "ImageSource", "LmdbSource", "ZipSource"]
