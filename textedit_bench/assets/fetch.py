"""Download one asset to its path; archives of data sets are unpacked atomically."""

from __future__ import annotations

import lzma
import os
import secrets
import shutil
import zipfile
import zlib
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from filelock import FileLock

from textedit_bench.assets import accepted
from textedit_bench.assets.accepted import forget, is_checked, remember, remembered
from textedit_bench.assets.check import WrongFileError, check, check_unpacked
from textedit_bench.assets.manifest import Asset, list_assets
from textedit_bench.assets.transfer import Progress, TransferError, check_room, transfer
from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically

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


class Fetched(StrEnum):
    """How an asset was obtained."""

    PRESENT = "already there"
    FETCHED = "fetched"
    COPIED = "copied"


def fetch(
    asset: Asset,
    *,
    source: Path | None = None,
    accept_licence: bool = False,
    progress: Progress = lambda _have, _total: None,
) -> Fetched:
    """Download and verify an asset. A second process that needs the same asset waits for the first.

    What lies there already is checked as well, unless it was before and has not changed since; it is never removed.

    Args:
        asset: what is wanted.
        source: a folder (or the file itself) to copy from instead of the network.
        accept_licence: the user accepts its licence.
        progress: called with the received and total number of bytes.

    Raises:
        UserError: its licence was not accepted, it cannot be fetched by a command, or ``source`` does not hold it.
        TransferError: it did not arrive.
        WrongFileError: something else arrived, or lies there.
    """
    accepted.require(asset, accept=accept_licence)
    if source is None and not asset.fetchable and not asset.present:
        raise UserError(f"asset {asset.id} cannot be fetched by a command: {asset.advice()}")
    try:
        asset.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(asset.path.with_name(f".{asset.file}.lock")):
            return _fetch(asset, source, progress)
    except OSError as error:
        raise TransferError(f"{asset.path}: {error.strerror or error}") from error


def _fetch(asset: Asset, source: Path | None, progress: Progress) -> Fetched:
    how = Fetched.PRESENT
    if asset.present:
        _accept_present(asset)
    else:
        if source is not None:
            _copy(asset, _find(asset, source))
            how = Fetched.COPIED
        else:
            _check_room(asset)
            transfer(asset, asset.path, progress)
            how = Fetched.FETCHED
        try:
            remember(asset, check(asset, asset.path))
        except WrongFileError:
            asset.path.unlink()  # it never was the asset
            raise
    if asset.unpacked is not None and not asset.is_unpacked:
        try:
            unpack(asset.path, asset.unpacked)
        except WrongFileError as error:
            # Without a checksum this is the first that is known of the damage; kept, it would count as there for ever.
            asset.path.unlink()
            forget(asset)
            raise WrongFileError(f"{error}; the archive was removed, so that another one can take its place") from error
    return how


def _accept_present(asset: Asset) -> None:
    """Verify and accept an existing file that was added manually, or changed since its verification."""
    if is_checked(asset):
        return
    try:
        verify(asset)
    except WrongFileError as error:
        raise WrongFileError(f"{error}; {asset.place} was put there by hand or changed: remove it first") from error


def verify(asset: Asset) -> str | None:
    """Verify an existing file against known checksums and that of its download; return its SHA-256.

    None if only the folder is there that was unpacked from it, which has no checksum.

    Raises:
        WrongFileError: it is not what it should be.
        FileNotFoundError: it is not there.
    """
    found = None
    if asset.place == asset.unpacked:
        check_unpacked(asset.place)
    else:
        found, before = check(asset, asset.path), remembered(asset)
        if before is not None and before != found:
            raise WrongFileError(f"wrong checksum: sha256 is {found}, it was {before} when the file was accepted")
    if not is_checked(asset):
        with suppress(OSError):  # a shared home may be closed to us: then it is checked again the next time
            remember(asset, found)
    return found


def _find(asset: Asset, source: Path) -> Path:
    """Find the asset's file in a folder: below its id, else by its name if that is unique to this asset."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise UserError(f"--from {source}: there is no such folder")
    below, beside = source / asset.id / asset.file, source / asset.file
    if below.is_file():
        return below
    if not beside.is_file():
        raise UserError(f"--from {source}: holds no {asset.id}/{asset.file}, nor {asset.file}")
    others = [other.id for other in list_assets().values() if other.file == asset.file and other.id != asset.id]
    if others and not asset.has_checksum:
        raise UserError(
            f"--from {source}: {asset.file} may be that of {', '.join(others)} as well, and no checksum tells them "
            f"apart; valid: {asset.id}/{asset.file}"
        )
    return beside


def _copy(asset: Asset, source: Path) -> None:
    check(asset, source)
    write_atomically(asset.path, lambda temporary: shutil.copyfile(source, temporary))


def _check_room(asset: Asset) -> None:
    part = asset.path.with_name(f"{asset.file}.part")
    have = part.stat().st_size if part.exists() else 0
    if asset.size is not None:
        check_room(asset.path, asset.size - have)
