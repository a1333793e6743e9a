"""A zip of pictures, including stylegan2-ada's ``00000/img00000000.png`` layout.

Its central directory is read entry by entry; Python's reader would build all objects first.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from textedit_bench.data.decode import MAX_BYTES, SUFFIXES, UnusableImageError
from textedit_bench.data.sources.source import Entry
from textedit_bench.errors import UserError

END = struct.Struct("<4s4H2LH")
LOCATOR64 = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 65_535
_IN_EXTRA = 0xFFFFFFFF


class ZipLayoutError(ValueError):
    """The file is not a zip, or is damaged."""


@dataclass(frozen=True)
class ZipEntry:
    """Location of one file in a zip.

    Attributes:
        name: its name in the zip.
        flags, method, crc, packed, size: as the zip states them; sizes in bytes.
        offset: start of its local header.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def read_index(file: BinaryIO) -> Iterator[ZipEntry]:
    """Iterate over entries in the order of the central directory, one header in memory at a time.

    Raises:
        ZipLayoutError: the file is not a zip, or its central directory is damaged.
    """
    count, size, start, shift = _end(file)
    file.seek(start)
    position = start
    for _ in range(count):
        head = file.read(CENTRAL.size)
        if len(head) < CENTRAL.size or head[:4] != b"PK\x01\x02" or position >= start + size:
            raise ZipLayoutError("its table of contents is damaged")
        values = CENTRAL.unpack(head)
        name_length, extra_length, comment_length = values[10:13]
        rest = file.read(name_length + extra_length + comment_length)
        position += CENTRAL.size + len(rest)
        name = rest[:name_length].decode("utf-8" if values[3] & 0x800 else "cp437", "backslashreplace")
        large = _large(rest[name_length : name_length + extra_length], values[9], values[8], values[16])
        yield ZipEntry(name, values[3], values[4], values[7], large[1], large[0], large[2] + shift)
        file.seek(position)  # reading an entry in between moves the file position


def _end(file: BinaryIO) -> tuple[int, int, int, int]:
    """Return number of entries, size and start of the central directory, and the number of bytes before the zip."""
    length = file.seek(0, 2)
    tail_start = max(0, length - END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END.size:
        raise ZipLayoutError("no end-of-zip record: not a zip, or cut short")
    end = END.unpack_from(tail, at)
    end_at, count, size, start = tail_start + at, end[4], end[5], end[6]
    if _IN_EXTRA in (size, start) or count == 0xFFFF:
        wide = _end64(file, end_at)
        if wide is not None:
            count, size, start, end_at = wide
    shift = end_at - size - start
    if shift < 0:
        raise ZipLayoutError("its end-of-zip record points outside the file")
    return count, size, start + shift, shift


def _end64(file: BinaryIO, end_at: int) -> tuple[int, int, int, int] | None:
    if end_at < LOCATOR64.size + END64.size:
        return None
    file.seek(end_at - LOCATOR64.size)
    locator = LOCATOR64.unpack(file.read(LOCATOR64.size))
    if locator[0] != b"PK\x06\x07":
        return None
    at = end_at - LOCATOR64.size - END64.size  # directly before its locator, independent of data before the zip
    file.seek(at)
    record = END64.unpack(file.read(END64.size))
    if record[0] != b"PK\x06\x06":
        raise ZipLayoutError("its 64-bit end-of-zip record is damaged")
    return record[7], record[8], record[9], at


def _large(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return size, compressed size and offset, from the zip64 extra field if the 32-bit ones are full."""
    values = [size, packed, offset]
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            for index, value in enumerate(values):
                if value == _IN_EXTRA:
                    if len(body) < 8:
                        raise ZipLayoutError("a 64-bit size is missing")
                    values[index], body = struct.unpack_from("<Q", body)[0], body[8:]
        at += 4 + length
    return values[0], values[1], values[2]


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
