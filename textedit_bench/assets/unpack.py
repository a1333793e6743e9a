"""Unpack archives of data sets into the data folder, atomically."""

from __future__ import annotations

import lzma
import os
import secrets
import shutil
import zipfile
import zlib
from pathlib import Path

from textedit_bench.assets.check import WrongFileError
from textedit_bench.assets.disk_space import check_room
from textedit_bench.assets.transfer import TransferError

_DAMAGED = (zipfile.BadZipFile, RuntimeError, zlib.error, lzma.LZMAError, EOFError)
"""What `zipfile` raises on content: RuntimeError where it is encrypted or packed in a way that it does not know."""


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip so that ``target`` is complete or does not exist.

    A single folder that holds everything else is left out: LSUN's zips name it in ways that their readers do not
    expect.

    Raises:
        WrongFileError: no zip, a damaged or encrypted one, or one that would write outside the target.
        TransferError: the disk has no room for what is in it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        _extract(archive, temporary, target)
        inside = list(temporary.iterdir())
        root = inside[0] if len(inside) == 1 and inside[0].is_dir() else temporary
        os.replace(root, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(archive: Path, folder: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if name.startswith(("/", "\\")) or ".." in Path(name.replace("\\", "/")).parts or ":" in name:
                    raise WrongFileError(f"{archive}: it would write outside its folder ({name[:80]!r})")
            check_room(target, sum(entry.file_size for entry in opened.infolist()))
            opened.extractall(folder)
    except TransferError:  # a RuntimeError too, but the archive's fault it is not
        raise
    except _DAMAGED as error:
        raise WrongFileError(f"{archive}: not a zip, or one that cannot be unpacked ({error})") from error
