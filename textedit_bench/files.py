"""Locate the folders outside the repository, write files atomically, lock folders, and compute checksums."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

HOME = "TEXTEDIT_BENCH_HOME"
"""Environment variable for the root of all folders; the full tier needs tens of gigabytes."""


class PlaceError(OSError):
    """A folder cannot be written; the message says which, why, and how to move it.

    The command line reports it in one line with exit code 1, since the input was valid.
    """


@contextmanager
def reraise_write_errors(path: Path) -> Iterator[None]:
    """Convert system errors in writing below `home` to `PlaceError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise PlaceError(f"{path}: cannot be written ({reason}); {HOME} chooses another place") from error


def home() -> Path:
    """Return the root folder: ``$TEXTEDIT_BENCH_HOME``, else the user's data folder of the operating system."""
    given = os.environ.get(HOME)
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("textedit_bench", appauthor=False))


def assets_folder() -> Path:
    """Return the folder of downloaded weights: ``<id>/<file>``."""
    return home() / "assets"


def data_folder() -> Path:
    """Return the folder of data sets; a card's path ``ffhq/images1024x1024`` is relative to it."""
    return home() / "data"


def inversions_folder() -> Path:
    """Return the folder of cached codes of photos."""
    return home() / "inversions"


def trained_folder() -> Path:
    """Return the folder of locally trained networks: for downloaded generators, or trained by an edit."""
    return home() / "trained"


def prepared_folder() -> Path:
    """Return the folder of editors' data per network, such as samples and statistics, which can be recomputed."""
    return home() / "prepared"


TEMPORARY = ".part"


def write_atomically(path: Path, write: Callable[[Path], object], *, durable: bool = True) -> None:
    """Let ``write`` fill a temporary file in the folder of ``path``, then rename it.

    A kill at any instant leaves the old file or the new one. The temporary name ends in ``.part``; what a kill leaves
    of it is removed by the next who locks the folder (`locked`) or, without locking, by `remove_left_over`. A link is
    followed; a device or a pipe, which cannot be replaced, is written as it is. Who may read the file stays as it was,
    or is as the umask says.

    Args:
        path: the file.
        write: fills the file at the path it is given.
        durable: wait until the disk has the bytes, so that a power failure loses nothing either. Not needed, and slow,
            for files whose checksum is stored elsewhere: what a power failure leaves of them is noticed and made again.
    """
    if path.is_symlink():
        path = path.resolve()
    # Looked at once: another process may remove the file at any instant.
    there = _mode(path)
    if there and not stat.S_ISREG(there) and not stat.S_ISDIR(there):
        write(path)
        return
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}{TEMPORARY}")
    try:
        temporary.touch(exist_ok=False)
        mode = there if there and stat.S_ISREG(there) else temporary.stat().st_mode
        write(temporary)
        temporary.chmod(stat.S_IMODE(mode))  # some writers make files that only their owner may read
        if durable:
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int | None:
    """Return the type and permissions of a path. None if nothing is there."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with unchanged line ends."""
    write_atomically(path, lambda temporary: temporary.write_bytes(text.encode("utf-8")))


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, with sorted keys."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def reserve(path: Path) -> None:
    """Reserve disk space for a file of known length.

    Who writes into a mapped file for which there is no room is killed by the system.

    Raises:
        OSError: there is no room.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def remove_left_over(folder: Path, seconds: float = 3600.0) -> None:
    """Remove temporary files older than an hour, left by killed writers in a folder without a lock.

    Args:
        folder: where; nothing happens where it is not there or may not be written.
        seconds: age from which a temporary file counts as abandoned.
    """
    for left in folder.glob(f".*{TEMPORARY}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > seconds:
                left.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder for this process; others wait. The lock is released when its holder dies.

    Creates the folder and removes what killed writers left in it. A platform without such locks gets none: two
    processes must not write one folder there.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handles = [os.open(folder, os.O_RDONLY)]
        try:
            handles += _lock(handles[0], folder)
            # Another process may have moved the folder away while this one waited for it.
            if not folder.exists() or os.stat(folder).st_ino != os.fstat(handles[0]).st_ino:
                continue
            for left in folder.glob(f".*{TEMPORARY}"):
                left.unlink(missing_ok=True)
            yield
            return
        finally:
            for handle in handles:
                os.close(handle)


_NO_FOLDER_LOCKS = (errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOTSUP, errno.EACCES)


def _lock(handle: int, folder: Path) -> list[int]:
    """Wait for an exclusive lock on an open folder; return the further handles that hold it.

    Network file systems lock only what is open for writing, which no folder can be: there a file next to it is locked.
    """
    try:
        import fcntl
    except ImportError:
        return []
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return []
    except OSError as error:
        if error.errno not in _NO_FOLDER_LOCKS:
            raise
    beside = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(beside, fcntl.LOCK_EX)
    except OSError:
        os.close(beside)
        raise
    return [beside]


_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def disk_is_full(error: BaseException) -> bool:
    """Whether an error or its cause means that nothing more can be written: disk, quota or file size.

    Libraries that write by themselves wrap the system's error in their own, so its words count too.
    """
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(words in str(seen) for words in _FULL):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
