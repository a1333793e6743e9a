"""Check the files that a command is going to write before anything is computed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from textedit_bench.errors import UserError


def check_destination(
    path: Path,
    endings: Iterable[str] = (),
    *,
    field: str = "output",
    inputs: Iterable[str | Path | None] = (),
) -> None:
    """Refuse a file that could not be written at the end, or must not be.

    Args:
        path: the file to come.
        endings: the endings it may have, with their dots; any where there are none.
        field: what the error calls it.
        inputs: what the command reads: names that are files, or are not; None stands for nothing.

    Raises:
        UserError: another ending, a folder of that name, a folder around it that is missing or closed, or a file that
            is read too, under whatever name.
    """
    endings = tuple(endings)
    if endings and path.suffix.lower() not in endings:
        raise UserError(f"{field} {path}: unknown format {path.suffix!r}. Valid: {', '.join(endings)}")
    try:
        if path.is_dir():
            raise UserError(f"{field} {path}: is a folder; valid: the name of a file")
        for source in inputs:
            if source is not None and _same(path, Path(source)):
                raise UserError(f"{field} {path}: is the input {source}, which it would replace; valid: another name")
        target = path.resolve()  # a link is followed
        if target.exists() and not target.is_file():  # a device or a pipe
            if not os.access(target, os.W_OK):
                raise UserError(f"{field} {path}: cannot be written")
        elif not _takes_files(target.parent):
            raise UserError(f"{field} {path}: the folder {path.parent} does not exist or cannot be written")
        elif not _name_fits(target):
            raise UserError(f"{field} {path}: the name is too long or cannot name a file")
    except (OSError, ValueError, RuntimeError) as error:  # names too long, with a null character, links in a circle
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{field} {str(path)!r}: cannot be written ({getattr(error, 'strerror', None) or error})"
        ) from error


def check_folder(path: Path, field: str = "output") -> None:
    """Refuse a folder in which nothing could be written at the end; one that is missing is fine where it can be made.

    Args:
        path: the folder to come.
        field: what the error calls it.

    Raises:
        UserError: a file of that name, or a folder that is closed.
    """
    try:
        # A link that leads nowhere counts as there: no folder can be made in its place.
        present = next(place for place in (path, *path.absolute().parents) if place.exists() or place.is_symlink())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{field} {str(path)!r}: cannot be made ({getattr(error, 'strerror', None) or error})"
        ) from error
    if not _takes_files(present):
        raise UserError(f"{field} {path}: {present} is not a folder that can be written")


def _same(path: Path, source: Path) -> bool:
    """Whether both names lead to one file, through links or not."""
    try:
        return path.samefile(source)
    except (OSError, ValueError):  # one of them is not there, or is no name of a file
        return False


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there: permissions alone say yes to root in places such as /proc."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _name_fits(path: Path) -> bool:
    """Whether the file system takes a name of that length."""
    try:
        return len(os.fsencode(path.name)) <= os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # unknown here
        return True
