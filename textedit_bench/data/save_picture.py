"""Save pictures that a command writes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from textedit_bench.files import write_atomically

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Formats by file extension."""


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture atomically, in the format of its extension; PNG without one."""
    form = FORMATS.get(path.suffix.lower(), "PNG")
    write_atomically(path, lambda temporary: picture.save(temporary, form))
