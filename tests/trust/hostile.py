"""Hostile files and texts, one function each: what a stranger may hand over."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
import yaml

from textedit_bench.bench.cell import digest_of


class Payload:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def pickle_file(path: Path, marker: Path) -> Path:
    path.write_bytes(pickle.dumps({"g_ema": Payload(marker)}))
    return path


def torch_file(path: Path, marker: Path) -> Path:
    torch.save({"codes": Payload(marker)}, path)
    return path


def object_array(path: Path, marker: Path) -> Path:
    array = np.array([Payload(marker)], dtype=object)
    if path.suffix == ".npz":
        np.savez(path, mean=array)
    else:
        np.save(path, array, allow_pickle=True)
    return path


def slipping_zip(path: Path) -> Path:
    """Entries that would land elsewhere if they were unpacked under their names; the bytes are a real picture."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(("../../escaped.png", "/tmp/escaped-absolute.png", "a/../../../escaped.png") * 4):
            archive.writestr(f"{number:02}/{name}" if number >= 3 else name, png(16, 16))
    return path


def linked_folder(path: Path, secret: Path) -> Path:
    """A folder of pictures that are links to something that is none of the user's pictures."""
    path.mkdir()
    for number in range(3):
        (path / f"{number}.png").symlink_to(secret)
    return path


def png(width: int, height: int, rows_written: int | None = None) -> bytes:
    """A PNG of one colour; a bomb only says that it is large, since whoever decodes it has lost already."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packed = zlib.compressobj(9)
    rows = b"".join(packed.compress(b"\x00" * (3 * width + 1)) for _ in range(rows_written or height)) + packed.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def card(good: Path, path: Path, **changes) -> Path:
    """A working card with some fields changed; fields of its tier are given as ``tier__name``."""
    data = yaml.safe_load(good.read_text())
    for name, value in changes.items():
        where = data["tiers"]["mini"] if name.startswith("tier__") else data
        where[name.removeprefix("tier__")] = value
    networks = data["tiers"]["mini"]["networks"]
    for role, file in networks.items():
        if not Path(file).is_absolute() and (good.parent / file).exists():
            networks[role] = str(good.parent / file)
    path.write_text(yaml.safe_dump(data))
    return path


def huge_header(path: Path) -> Path:
    """A safetensors file whose header claims nearly all the memory there is."""
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    return path


def manifest(path: Path, **changes) -> Path:
    """A run's manifest with some fields of its identity changed."""
    identity = {
        "runner_version": 2,
        "tier": "mini",
        "dataset": "ffhq",
        "method": "no-edit",
        "method_version": 1,
        "weights": None,
        "networks": {},
        "images": {"split": "evaluation", "count": 2, "digest": "x"},
        "prompt_id": "p",
        "prompt": {"target": "a face", "source": None, "phrase": None, "group": None, "attribute": None},
        "seed": 0,
        "strengths": [0.0, 1.0],
        "settings": {},
        "matched_to": None,
    }
    identity |= changes
    run = {"schema": 1, "identity": identity, "digest": digest_of(identity), "listing": {}, "infer": {"files": {}}}
    path.write_text(json.dumps(run))
    return path
