"""Identify files that are not decoded: unsupported picture formats, and other files in place of pictures."""

from __future__ import annotations

HEIC = "HEIC"
_BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), HEIC) | dict.fromkeys(
    (b"avif", b"avis"), "AVIF"
)
_BEGINNINGS = {
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"8BPS": "a Photoshop file",
    b"\0\0\x01\0": "an icon",
    b"%PDF": "PDF",
}
_TEXTS = {
    b"version https://git-lfs": "a Git LFS pointer; 'git lfs pull' fetches the picture",
    b"<!doctype html": "a web page; what was saved is an answer of a server, not the picture",
    b"<html": "a web page; what was saved is an answer of a server, not the picture",
    b"<svg": "SVG; export it as PNG",
    b"<?xml": "SVG or other XML; export it as PNG",
}


def brand_of(data: bytes) -> str | None:
    """Return the picture format in an ISO media container (also used by films); None if it is another file."""
    return _BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None


def name_of(data: bytes) -> str | None:
    """Describe bytes and what to do about them, for a message; None if they are unknown."""
    if data[4:8] == b"ftyp":
        brand = brand_of(data)
        return f"{brand}; save it as PNG or JPEG" if brand else "a film"
    for beginning, name in _BEGINNINGS.items():
        if data.startswith(beginning):
            return f"{name}; save it as PNG or JPEG"
    text = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((name for beginning, name in _TEXTS.items() if text.startswith(beginning)), None)
