"""Identify a file in place of weights, and say what to do about it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_PAGE = "a web page, not weights (file hosts answer with one when a quota or a virus scan is in the way)"
_LFS = "a Git LFS pointer, not the file; 'git lfs pull' fetches it"
_BEGINNINGS = {
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"\x89HDF": "an HDF5 file, as Keras writes; weights of PyTorch are read",
    b"\x93NUMPY": "an array of numpy; weights of PyTorch are read",
    b"{": "JSON, such as the index of a checkpoint in several files; name the file of weights itself",
    b"version https://git-lfs": _LFS,
}


def named(head: bytes) -> str:
    """Identify a file by its first bytes."""
    if re.match(rb"\s*<(!doctype|html|\?xml|head|body)", head, re.IGNORECASE):
        return _PAGE
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    known = next((words for beginning, words in _BEGINNINGS.items() if head.startswith(beginning)), None)
    return known or f"not a weights file in any known format (begins with {head[:8]!r})"


def named_archive(archive: zipfile.ZipFile) -> str:
    """Identify a zip that PyTorch did not write."""
    inside = [
        name
        for name in archive.namelist()
        if Path(name).suffix in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".safetensors")
    ]
    if inside:
        return f"a zip archive that holds {inside[0]}; unpack it first"
    return "a zip archive, but not one written by PyTorch"
