"""Image sources made on the spot, good and bad images among them, in every layout that is read."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from textedit_bench.data.sources import FolderSource, ImageSource, LmdbSource, ZipSource


def encode(level: int = 128, format_: str = "PNG", size: tuple[int, int] = (12, 8), mode: str = "RGB") -> bytes:
    """A picture of one grey level."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (level,) * 3).convert(mode).save(buffer, format_)
    return buffer.getvalue()


def bomb(side: int = 12_000) -> bytes:
    """A PNG of a few bytes that claims 144 million pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def sixteen_bits() -> bytes:
    """A 16-bit grey PNG whose right half is white, which is 65,535 there."""
    levels = np.zeros((8, 12), np.uint16)
    levels[:, 6:] = 65_535
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


MIXED: Mapping[str, bytes] = {
    "good": encode(10),
    "empty": b"",
    "cut": encode(20, size=(200, 200), format_="JPEG")[:300],
    "palette": encode(30, mode="P"),
    "text": b"not a picture at all",
    "cmyk": encode(200, "JPEG", mode="CMYK"),
    "bomb": bomb(),
    "deep": sixteen_bits(),
    "webp": encode(50, "WEBP"),
    "last": encode(60),
}
"""What a large collection holds, by name; in this order in every source."""
USABLE = ("good", "palette", "cmyk", "deep", "webp", "last")


def _write_folder(root: Path, images: Mapping[str, bytes]) -> FolderSource:
    for number, (name, data) in enumerate(images.items()):
        folder = root / "ffhq" / f"{number // 3 * 1000:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}-{name}.png").write_bytes(data)
        (folder / "LICENSE.txt").write_text("not a picture, not a candidate")
    return FolderSource(root / "ffhq")


def _write_zip(root: Path, images: Mapping[str, bytes]) -> ZipSource:
    with zipfile.ZipFile(root / "ada.zip", "w") as archive:
        for number, (name, data) in enumerate(images.items()):
            packing = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            archive.writestr(f"00000/img{number:08d}-{name}.png", data, compress_type=packing)
        archive.writestr("dataset.json", '{"labels": null}')
    return ZipSource(root / "ada.zip")


def _write_lmdb(root: Path, images: Mapping[str, bytes]) -> LmdbSource:
    keys = sorted(hashlib.sha1(name.encode()).hexdigest() for name in images)  # the order in which LMDB keeps them
    with lmdb.open(str(root / "lsun"), map_size=1 << 24) as environment, environment.begin(write=True) as writer:
        for key, data in zip(keys, images.values(), strict=True):
            writer.put(key.encode(), data)
    return LmdbSource(root / "lsun")


WRITERS: dict[str, Callable[[Path, Mapping[str, bytes]], ImageSource]] = {
    "folder": _write_folder,
    "zip": _write_zip,
    "lmdb": _write_lmdb,
}


@pytest.fixture(params=sorted(WRITERS))
def write_source(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Mapping[str, bytes]], ImageSource]:
    """Lays images (name -> bytes) out as one kind of source; the test runs once for each kind."""
    return lambda images: WRITERS[request.param](tmp_path, images)


@pytest.fixture
def mixed() -> Mapping[str, bytes]:
    """Good and bad images by name."""
    return MIXED


@pytest.fixture
def usable() -> tuple[str, ...]:
    """Names of the good ones."""
    return USABLE
