"""Save the pictures that a command writes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from textedit_bench.files import write_atomically

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""By the ending of the file."""


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture whole or not at all, in the format that its ending names; PNG where it names none."""
    form = FORMATS.get(path.suffix.lower(), "PNG")
    write_atomically(path, lambda temporary: picture.save(temporary, form))
