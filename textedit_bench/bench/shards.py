"""Split a cell into shards, for resuming and distribution, and merge their files, byte by byte the same."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from textedit_bench.bench.pictures import EPOCH
from textedit_bench.models.stylegan2 import images_at_once

BATCH = 24
"""Maximum number of images per network pass; fixed, since the last digits of results depend on it."""
SHARD_BYTES = 1 << 28
"""Bytes of the 8-bit pictures of one shard, all strengths together."""


@dataclass(frozen=True)
class Shard:
    """Images ``start`` to ``stop - 1`` of a cell."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def pass_size(resolution: int) -> int:
    """Return the images per network pass at a resolution in pixels, which affects the last digits of a result."""
    return images_at_once(resolution, BATCH)


def cut_shards(images: int, resolution: int, strengths: int, asked: int = 0) -> list[Shard]:
    """Split the images of a cell into shards.

    A shard is a whole number of network passes, so that results do not depend on its size.

    Args:
        images: of the cell.
        resolution: side of a picture in pixels.
        strengths: of the cell; a shard holds every picture of its images.
        asked: images per shard, rounded up to whole passes; 0 takes as many as fit into `SHARD_BYTES`.
    """
    one = pass_size(resolution)
    wanted = asked or SHARD_BYTES // (3 * resolution**2 * strengths)
    size = one * max(1, math.ceil(wanted / one) if asked else wanted // one)
    return [Shard(start, min(start + size, images)) for start in range(0, images, size)]


ROWS = 1 << 20
"""Rows of records that are sorted together, and rows per parquet row group."""


def write_tensor(path: Path, name: str, shape: Sequence[int], blocks: Iterable[Tensor]) -> None:
    """Write one float32 tensor as safetensors, block by block.

    Args:
        path: the file.
        name: of the tensor.
        shape: of the whole.
        blocks: its values in row-major order.

    Raises:
        ValueError: the blocks do not fill the shape.
    """
    size = 4 * math.prod(shape)
    entry = {"dtype": "F32", "shape": list(shape), "data_offsets": [0, size]}
    header = json.dumps({name: entry}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as handle:
        handle.write(len(header).to_bytes(8, "little") + header)
        written = sum(handle.write(np.ascontiguousarray(block.numpy(), "<f4").data) for block in blocks)
    if written != size:
        raise ValueError(f"{name}: blocks of {written} bytes for a tensor {tuple(shape)} of {size}")


def join_codes(path: Path, parts: Sequence[Path]) -> None:
    """Join ``codes`` [strengths, n, ...] of the shards along the images."""
    shapes = []
    for part in parts:
        with safe_open(part, "pt") as stored:
            shapes.append(stored.get_slice("codes").get_shape())
    strengths, _, *rest = shapes[0]

    def blocks() -> Iterator[Tensor]:
        for strength in range(strengths):
            for part in parts:
                with safe_open(part, "pt") as stored:
                    yield stored.get_slice("codes")[strength]

    write_tensor(path, "codes", [strengths, sum(shape[1] for shape in shapes), *rest], blocks())


def join_array(path: Path, name: str, parts: Sequence[Path]) -> None:
    """Join one array [strengths, n, ...] of the shards' ``.npz`` files along the images."""
    first = _array(parts[0], name)
    images = sum(_array(part, name).shape[1] for part in parts)
    header = {"descr": first.dtype.str, "fortran_order": False, "shape": (first.shape[0], images, *first.shape[2:])}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as f,
    ):
        np.lib.format.write_array_header_1_0(f, header)
        for strength in range(first.shape[0]):
            for part in parts:
                f.write(np.ascontiguousarray(_array(part, name)[strength]).tobytes())


def _array(path: Path, name: str) -> NDArray[np.generic]:
    with np.load(path, allow_pickle=False) as stored:
        array: NDArray[np.generic] = stored[name]
        return array


def join_pictures(path: Path, parts: Sequence[Path], groups: Sequence[str]) -> None:
    """Join the zips of pictures of the shards: group by group, in the order of the shards."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for group in groups:
            for part in parts:
                with zipfile.ZipFile(part) as stored:
                    for name in stored.namelist():
                        if name.startswith(f"{group}/"):
                            archive.writestr(zipfile.ZipInfo(name, EPOCH), stored.read(name))


def join_records(path: Path, parts: Sequence[Path], ids: Sequence[str], rows_per_image: int) -> None:
    """Join the records of the shards in the order of image names, as one table is sorted.

    Args:
        path: the file.
        parts: record files of the shards, each sorted.
        ids: names of all images.
        rows_per_image: strengths x metrics.
    """
    names = sorted(ids)
    step = max(1, ROWS // rows_per_image)
    writer = None
    for start in range(0, len(names), step):
        window = pc.field("image").isin(pa.array(names[start : start + step]))
        table = pa.concat_tables([pq.read_table(part, filters=window) for part in parts])
        table = table.sort_by([(key, "ascending") for key in ("image", "strength", "metric")]).combine_chunks()
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=ROWS)
    assert writer is not None
    writer.close()
