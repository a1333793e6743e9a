"""Download one asset to its path."""

from __future__ import annotations

import shutil
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from filelock import FileLock

from textedit_bench.assets import licences
from textedit_bench.assets.asset import Asset
from textedit_bench.assets.check import WrongFileError, check, check_unpacked
from textedit_bench.assets.disk_space import check_room
from textedit_bench.assets.known import forget, is_checked, remember, remembered
from textedit_bench.assets.manifest import list_assets
from textedit_bench.assets.transfer import Progress, TransferError, transfer
from textedit_bench.assets.unpack import unpack
from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically


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
    licences.require(asset, accept=accept_licence)
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
