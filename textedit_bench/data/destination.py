"""Check output paths before anything is computed."""

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
    """Refuse an output file that cannot, or must not, be written.

    Args:
        path: the output file.
        endings: allowed extensions, with dots; any if empty.
        field: its name in error messages.
        inputs: inputs of the command, which may or may not be files; None is ignored.

    Raises:
        UserError: another extension, a folder of that name, a missing or read-only parent folder, or a file that is
            also an input, under any name.
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
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # names too long or with a null character, circular links
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{field} {str(path)!r}: cannot be written ({getattr(error, 'strerror', None) or error})"
        ) from error


def check_folder(path: Path, field: str = "output") -> None:
    """Refuse an output folder that cannot be written; a missing one is accepted if it can be created.

    Args:
        path: the output folder.
        field: its name in error messages.

    Raises:
        UserError: a file of that name, or a folder that cannot be written.
    """
    try:
        # A dangling link counts as existing: no folder can be created in its place.
        present = next(place for place in (path, *path.absolute().parents) if place.exists() or place.is_symlink())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{field} {str(path)!r}: cannot be made ({getattr(error, 'strerror', None) or error})"
        ) from error
    if not _takes_files(present):
        raise UserError(f"{field} {path}: {present} is not a folder that can be written")


def _same(path: Path, source: Path) -> bool:
    """Whether both names denote the same file, also through links."""
    try:
        return path.samefile(source)
    except (OSError, ValueError):  # one of them does not exist, or is not a file name
        return False


def _takes_files(folder: Path) -> bool:
    """Whether a file can be created there; permissions alone are wrong for root in places such as /proc."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _name_fits(path: Path) -> bool:
    """Whether the file system accepts a name of that length."""
    try:
        return len(os.fsencode(path.name)) <= os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # unknown here
        return True
