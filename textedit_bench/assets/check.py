"""Verify a file by size, checksums and first bytes, and detect web pages downloaded instead."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from textedit_bench.assets.manifest import Asset

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_STARTS: tuple[tuple[tuple[str, ...], tuple[bytes, ...], str], ...] = (
    ((".pt", ".pth", ".pth.tar", "pytorch_model.bin"), (_ZIP, _PICKLE), "a PyTorch file"),
    ((".pkl",), (_PICKLE,), "a pickle"),
    ((".zip",), (_ZIP,), "a zip"),
    ((".npy",), (b"\x93NUMPY",), "a numpy array"),
    ((".bz2",), (b"BZh",), "a bzip2 file"),
    ((".gz",), (b"\x1f\x8b",), "a gzip file"),
)
"""Ends of names, what such files start with (both forms of PyTorch's), and what to call them."""
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml")
HEAD = 512
"""Bytes that are enough to tell."""


def looks_like_page(head: bytes) -> bool:
    """Whether content starts like a web page."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS)


def expected_kind(name: str, head: bytes) -> str | None:
    """Return the expected kind of a file of this name if its first bytes do not match; None if they do."""
    for ends, starts, kind in _STARTS:
        if name.endswith(ends):
            return None if head.startswith(starts) else kind
    return None


class WrongFileError(ValueError):
    """A file that is not the asset; the message describes it."""


def check(asset: Asset, path: Path) -> str:
    """Verify a file by all that is known about the asset.

    Returns:
        The file's SHA-256.

    Raises:
        WrongFileError: it differs.
    """
    glance(asset, path)
    found = _digests(asset, path, path.stat().st_size)
    for name, wanted in (("sha256", asset.sha256), ("git_blob", asset.git_blob), ("md5", asset.md5)):
        if wanted is not None and not found[name].startswith(wanted):
            raise WrongFileError(f"wrong checksum: {name} is {found[name]}, expected {wanted}")
    return found["sha256"]


def glance(asset: Asset, path: Path) -> None:
    """Verify size and first bytes: fast for files of any size.

    Raises:
        WrongFileError: they differ.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    refuse_page(head)
    if size == 0:
        raise WrongFileError("the file is empty")
    if asset.bytes is not None:
        if size != asset.bytes:
            raise WrongFileError(f"{size} bytes instead of {asset.bytes}")
        return
    if asset.about_bytes is not None and size < asset.about_bytes / 2:  # "about" is never off by a factor of two
        raise WrongFileError(f"{size} bytes instead of about {asset.about_bytes}")
    if kind := expected_kind(asset.file, head):
        raise WrongFileError(f"not {kind}, by its first bytes")


def check_unpacked(folder: Path) -> None:
    """Refuse a folder in which no file has any content; the expected files are unknown.

    Raises:
        WrongFileError: it is such a folder.
    """
    if not any(path.is_file() and path.stat().st_size for path in folder.rglob("*")):
        raise WrongFileError("the folder holds no file with content")


def refuse_page(head: bytes) -> None:
    """Refuse content that starts like a web page: "quota exceeded" of Drive or "log in" of proxies.

    Raises:
        WrongFileError: it does.
    """
    if looks_like_page(head):
        raise WrongFileError("got a web page instead of the file (quota, virus-scan or log-in page)")


def _digests(asset: Asset, path: Path, size: int) -> dict[str, str]:
    """Compute the required digests in one pass."""
    wanted: dict[str, Any] = {"sha256": hashlib.sha256()}
    if asset.git_blob:
        wanted["git_blob"] = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    if asset.md5:
        wanted["md5"] = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            for digest in wanted.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in wanted.items()}
