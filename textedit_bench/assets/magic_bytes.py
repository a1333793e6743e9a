"""Detect a wrong file from its first bytes, without reading all of it."""

from __future__ import annotations

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
