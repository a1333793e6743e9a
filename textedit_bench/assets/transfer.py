"""Download into a partial file that survives interruptions, if the disk has the space, then move it to its path.

`pooch` checks the content and moves the file into place; its own HTTP downloader restarts after an interruption, so it
is given `Resuming` instead. Google Drive is left to `gdown`, which resumes by itself.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textedit_bench.assets.check import WrongFileError, refuse_page
from textedit_bench.assets.manifest import Asset
from textedit_bench.errors import one_line
from textedit_bench.extras import needs_extra
from textedit_bench.files import write_text

ATTEMPTS = 4
TIMEOUT_S = 30.0
BLOCK = 1 << 13
"""Bytes written at once; what was read of a block is lost when the connection breaks in the middle of it."""
Progress = Callable[[int, int | None], None]
"""Called with the bytes there are and the bytes there will be (None: not known)."""


class TransferError(RuntimeError):
    """A failed download; the message gives the reason and the remedy."""


def transfer(asset: Asset, target: Path, progress: Progress) -> None:
    """Download an asset's file to ``target``, which is created only when complete with the right SHA-256.

    Raises:
        TransferError: the server refused, the connection was lost for good, or the disk is full.
        UserError: the packages that fetch are not installed.
        WrongFileError: something else came.
    """
    with needs_extra("fetch", f"asset {asset.id}: fetching it"):
        import gdown  # noqa: F401  # what a download will need is known before it begins
        import pooch
        import requests  # noqa: F401

    pooch.get_logger().setLevel(logging.WARNING)  # it prints every fetch; progress is shown here
    target.parent.mkdir(parents=True, exist_ok=True)
    downloader = Resuming(asset, target, progress)
    try:
        pooch.retrieve(
            asset.url or f"https://drive.google.com/uc?id={asset.drive}",
            known_hash=f"sha256:{asset.sha256}" if asset.sha256 else None,
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )
    except (TransferError, WrongFileError):
        raise
    except OSError as error:
        raise _disk_error(error, target) from error
    except ValueError as error:  # how pooch says that the checksum is wrong
        raise WrongFileError(f"wrong checksum: sha256 is not {asset.sha256}") from error


class Resuming:
    """A downloader for `pooch` that resumes an interrupted download."""

    def __init__(self, asset: Asset, target: Path, progress: Progress) -> None:
        self.asset, self.target, self.progress = asset, target, progress
        self.part = target.with_name(f"{target.name}.part")
        self._version = target.with_name(f"{target.name}.part.version")

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        """Download to ``output_file``; the received part of a failed download stays in the partial file."""
        try:
            if self.asset.drive:
                self._from_drive(self.asset.drive)
            else:
                self._from_web(url)
            with self.part.open("rb") as file:
                refuse_page(file.read(512))
            size = self.part.stat().st_size
            if self.asset.bytes is not None and size != self.asset.bytes:
                raise WrongFileError(f"{size} bytes came instead of {self.asset.bytes}")
        except WrongFileError:
            self.part.unlink(missing_ok=True)
            self._version.unlink(missing_ok=True)
            raise
        os.replace(self.part, output_file)
        self._version.unlink(missing_ok=True)

    def _from_web(self, url: str) -> None:
        import requests

        for attempt in range(ATTEMPTS):
            before = self._size()
            try:
                self._request(url)
                return
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                if self._size() == before and attempt == ATTEMPTS - 1:
                    raise TransferError(f"{url}: cannot be reached ({one_line(error)})") from error
                reason = one_line(error)
                time.sleep(0.2 * 2**attempt)
            except requests.RequestException as error:
                raise TransferError(f"{url}: {one_line(error)}") from error
        raise TransferError(
            f"{url}: the connection was lost {ATTEMPTS} times ({reason}); {self._size()} bytes are kept: run the same "
            "command again to continue"
        )

    def _request(self, url: str) -> None:
        import requests

        have = self._size()
        headers = {"Accept-Encoding": "identity"}  # positions count the bytes on disk
        if have:
            headers["Range"] = f"bytes={have}-"
            if self._version.exists():
                headers["If-Range"] = self._version.read_text(encoding="ascii")
            elif not self.asset.sha256:  # nothing would tell that the rest belongs to another file
                del headers["Range"]
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            if answer.status_code == 416 and have:  # nothing after what we have: whole already, or another file
                if answer.headers.get("Content-Range") != f"bytes */{have}":
                    self.part.unlink()
                    self._request(url)
                return
            if answer.status_code == 429 or answer.status_code >= 500:
                raise requests.ConnectionError(f"the server answered {answer.status_code} {answer.reason}")
            if answer.status_code >= 400:
                raise TransferError(f"{url}: the server answered {answer.status_code} {answer.reason}")
            self._remember_version(answer.headers)
            goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            have = have if goes_on else 0
            length = answer.headers.get("Content-Length", "")
            total = have + int(length) if length.isdecimal() else None
            self._refuse_early(answer.headers.get("Content-Type", ""), total)
            with self.part.open("ab" if goes_on else "wb") as file:
                for block in answer.iter_content(BLOCK):
                    file.write(block)
                    have += len(block)
                    self.progress(have, total)
            if total is not None and have < total:
                raise requests.ConnectionError(f"ended after {have} of {total} bytes")

    def _remember_version(self, headers: Mapping[str, str]) -> None:
        """Store the server's version of the file, to be sent when the rest is requested."""
        tag = headers.get("ETag", "")
        version = tag if tag.startswith('"') else headers.get("Last-Modified", "")  # weak tags do not promise bytes
        if version.isascii() and version:
            write_text(self._version, version)
        else:
            self._version.unlink(missing_ok=True)

    def _refuse_early(self, kind: str, total: int | None) -> None:
        if kind.split(";")[0].strip().lower() == "text/html":
            raise WrongFileError("got a web page instead of the file (quota, virus-scan or log-in page)")
        if self.asset.bytes is not None and total is not None and total != self.asset.bytes:
            raise WrongFileError(f"the server offers {total} bytes instead of {self.asset.bytes}")

    def _from_drive(self, drive: str) -> None:
        import gdown

        try:
            gdown.download(
                id=drive,
                output=str(self.part),
                quiet=True,
                use_cookies=False,
                resume=True,
                timeout=TIMEOUT_S,
                retries=ATTEMPTS - 1,
                progress=self.progress,
            )
        except OSError as error:
            if error.errno in _DISK_IS_FULL:
                raise
            raise TransferError(_drive_message(drive, error)) from error
        except Exception as error:  # gdown's own errors share no class
            raise TransferError(_drive_message(drive, error)) from error

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _drive_message(drive: str, error: BaseException) -> str:
    page = f"https://drive.google.com/file/d/{drive}"
    return f"Google Drive did not give the file ({one_line(error)}); fetch {page} in a browser and use --from"


def _disk_error(error: OSError, target: Path) -> TransferError:
    if error.errno in _DISK_IS_FULL:
        return TransferError(
            f"{target}: the disk is full ({error.strerror}); the received part is kept: "
            "free space and run again to continue, or set TEXTEDIT_BENCH_HOME to a larger disk"
        )
    return TransferError(f"{target}: cannot be written ({error.strerror or one_line(error)})")


def check_room(target: Path, needed: int) -> None:
    """Refuse a file or folder for which its disk has no space; its parent folder exists.

    Raises:
        TransferError: fewer than ``needed`` bytes are free.
    """
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise TransferError(
            f"{target}: needs {needed / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left; make room or set "
            "TEXTEDIT_BENCH_HOME to a larger disk"
        )
