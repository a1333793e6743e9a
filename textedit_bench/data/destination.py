"""Files that a command is going to write: checked before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from textedit_bench.errors import UserError


def check_destination(path: Path, endings: Sequence[str]) -> None:
    """Refuse a file that could not be written at the end.

    Args:
        path: the file to come.
        endings: the endings it may have, with their dots.

    Raises:
        UserError: another ending, a folder of that name, or a folder around it that is missing or closed.
    """
    if path.suffix.lower() not in endings:
        raise UserError(f"output {path}: unknown format {path.suffix!r}. Valid: {', '.join(endings)}")
    if path.is_dir():
        raise UserError(f"output {path}: is a folder")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"output {path}: the folder {path.parent} does not exist or cannot be written")


def check_folder(path: Path, field: str = "output") -> None:
    """Refuse a folder in which nothing could be written at the end; one that is missing is fine where it can be made.

    Args:
        path: the folder.
        field: what named it, for the message.

    Raises:
        UserError: a file of that name, or a folder that is closed.
    """
    present = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not present.is_dir() or not os.access(present, os.W_OK | os.X_OK):
        raise UserError(f"{field} {path}: {present} is not a folder that can be written")
