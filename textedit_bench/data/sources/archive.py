"""A zip of pictures, including stylegan2-ada's ``00000/img00000000.png`` layout."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from textedit_bench.data.decode import MAX_BYTES, SUFFIXES, UnusableImageError
from textedit_bench.data.sources.source import Entry
from textedit_bench.data.sources.zip_index import LOCAL, ZipEntry, ZipLayoutError, read_index
from textedit_bench.errors import UserError

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1
_EXPECTED = "expected a zip of pictures such as 00000/img00000000.png"


class ZipSource:
    """Picture files of a zip in the order of its central directory; other files (``dataset.json``) are ignored.

    Args:
        path: the zip file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> Iterator[Entry]:
        """Iterate over pictures in order; see `ImageSource.entries`."""
        other, seen = "", set()
        try:
            if not self.path.is_file():
                raise UserError(f"source {self.path}: there is no such file; {_EXPECTED}")
            with self.path.open("rb") as file:
                for entry in read_index(file):
                    if entry.name.lower().endswith(SUFFIXES) and not _hidden(entry.name):
                        digest = hash(entry.name)  # a hundred bytes per picture instead of the whole listing
                        yield (
                            Entry(f"{entry.name}@{entry.offset}", None) if digest in seen else Entry(entry.name, entry)
                        )
                        seen.add(digest)
                    elif not entry.name.endswith("/"):
                        other = other or entry.name
        except OSError as error:
            raise UserError(f"source {self.path}: cannot be read ({error.strerror or error}); {_EXPECTED}") from error
        except ZipLayoutError as error:
            raise UserError(f"source {self.path}: {error}; {_EXPECTED}") from error
        if not seen:
            hint = "; this zip holds an LMDB: unpack it and write 'kind: lmdb'" if other.endswith(".mdb") else ""
            raise UserError(f"source {self.path}: no pictures in it, only {other or 'nothing'}{hint}; {_EXPECTED}")

    def read(self, entry: Entry) -> bytes:
        """Read the uncompressed bytes, verified by their CRC; see `ImageSource.read`."""
        where: ZipEntry | None = entry.where
        if where is None:
            raise UnusableImageError("another picture has the same name; the name is ambiguous")
        if where.flags & _ENCRYPTED:
            raise UnusableImageError("encrypted")
        if where.method not in (_STORED, _DEFLATED):
            raise UnusableImageError(f"packed by method {where.method}; stored and deflated ones are read")
        if max(where.size, where.packed) > MAX_BYTES:
            raise UnusableImageError(f"{where.size} bytes; at most {MAX_BYTES} are read")
        packed = self._packed(where)
        data = packed if where.method == _STORED else _inflate(packed, where.size)
        if len(data) != where.size or zlib.crc32(data) != where.crc:
            raise UnusableImageError("damaged: size or CRC do not agree with the zip's table of contents")
        return data

    def _packed(self, where: ZipEntry) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(where.offset)
                head = file.read(LOCAL.size)
                if len(head) < LOCAL.size or head[:4] != b"PK\x03\x04":
                    raise UnusableImageError("its local header is damaged")
                values = LOCAL.unpack(head)
                file.seek(values[9] + values[10], os.SEEK_CUR)  # name and extra field, whose lengths may differ here
                return file.read(where.packed)
        except OSError as error:
            raise UnusableImageError(f"cannot be read ({error.strerror or error})") from error


def _inflate(packed: bytes, size: int) -> bytes:
    try:
        # Reading one byte more than stated detects a file that unpacks to more.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
    except zlib.error as error:
        raise UnusableImageError(f"damaged ({error})") from error


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
