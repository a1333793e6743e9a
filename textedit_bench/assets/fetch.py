"""One asset from wherever it is to where it belongs."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

from filelock import FileLock

from textedit_bench.assets import licences
from textedit_bench.assets.asset import Asset
from textedit_bench.assets.check import WrongFileError, check
from textedit_bench.assets.known import remember, remembered
from textedit_bench.assets.transfer import Progress, TransferError, transfer
from textedit_bench.assets.unpack import unpack
from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically


class Fetched(StrEnum):
    """How an asset came to be there."""

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
    """Bring an asset into its place, checked. A second process that wants the same one waits for the first.

    Args:
        asset: what is wanted.
        source: a folder (or the file itself) to copy from instead of the network.
        accept_licence: the user accepts its licence.
        progress: told about bytes as they come.

    Raises:
        UserError: its licence was not accepted, it cannot be fetched by a command, or ``source`` does not hold it.
        TransferError: it did not arrive.
        WrongFileError: something else arrived.
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
    if not asset.present:
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
    if asset.unpacked is not None and not asset.unpacked.is_dir():
        unpack(asset.path, asset.unpacked)
    return how


def verify(asset: Asset) -> str:
    """The SHA-256 of a file that is there, after it was compared with what is known and with the day it came.

    Raises:
        WrongFileError: it is not what it should be.
        FileNotFoundError: it is not there.
    """
    found = check(asset, asset.path)
    before = remembered(asset)
    if before is not None and before != found:
        raise WrongFileError(f"wrong checksum: sha256 is {found}, it was {before} when the file came")
    return found


def _find(asset: Asset, source: Path) -> Path:
    """The asset's file in a folder: by its name, beside or below it."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise UserError(f"--from {source}: there is no such folder")
    for candidate in (source / asset.file, source / asset.id / asset.file):
        if candidate.is_file():
            return candidate
    raise UserError(f"--from {source}: holds no {asset.file}, nor {asset.id}/{asset.file}")


def _copy(asset: Asset, source: Path) -> None:
    check(asset, source)
    write_atomically(asset.path, lambda temporary: shutil.copyfile(source, temporary))


def _check_room(asset: Asset) -> None:
    free = shutil.disk_usage(asset.path.parent).free
    part = asset.path.with_name(f"{asset.file}.part")
    have = part.stat().st_size if part.exists() else 0
    if asset.size is not None and asset.size - have > free:
        raise TransferError(
            f"{asset.path}: needs {(asset.size - have) / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left; make room "
            "or set TEXTEDIT_BENCH_HOME to a larger disk"
        )
