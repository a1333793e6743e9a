"""An LMDB in LSUN's format: keys of 40 hexadecimal digits, values of one encoded image each, some of them empty."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from textedit_bench.data.decode import MAX_BYTES, UnusableImageError
from textedit_bench.data.sources.source import Entry
from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

_KEY = re.compile(rb"[0-9a-f]{40}")
_EXPECTED = "expected LSUN's layout: a folder with data.mdb, keys of 40 hexadecimal digits, one encoded image per key"


class LmdbSource:
    """Images of an LSUN LMDB in key order.

    Keys are hashes, so the first ones are a fixed random subset, and reading them accesses a small part of the file.

    Args:
        root: the folder with ``data.mdb``.

    Raises:
        UserError: the required package is not installed.
    """

    def __init__(self, root: Path) -> None:
        with needs_extra("lmdb", f"source {root}: reading an LMDB"):
            import lmdb  # noqa: F401
        self.root = root

    def entries(self) -> Iterator[Entry]:
        """Iterate over keys in order, without reading values; see `ImageSource.entries`."""
        import lmdb

        environment = self._environment()
        try:
            with environment.begin(buffers=False) as transaction:
                keys = transaction.cursor().iternext(keys=True, values=False)
                first = next(keys, None)
                if first is None:
                    raise UserError(f"source {self.root}: the LMDB is empty; {_EXPECTED}")
                if not _KEY.fullmatch(first):
                    raise UserError(f"source {self.root}: its first key is {first[:60]!r}; {_EXPECTED}")
                for key in chain([first], keys):
                    yield Entry(key.decode("ascii", "backslashreplace"), key)
        except lmdb.Error as error:
            raise UserError(f"source {self.root}: damaged, its keys cannot be read ({error}); {_EXPECTED}") from error

    def read(self, entry: Entry) -> bytes:
        """Read the value of a key; see `ImageSource.read`."""
        import lmdb

        try:
            with self._environment().begin(buffers=True) as transaction:
                value = transaction.get(entry.where)
                if value is not None and len(value) > MAX_BYTES:
                    raise UnusableImageError(f"{len(value)} bytes; at most {MAX_BYTES} are read")
                return b"" if value is None else bytes(value)
        except lmdb.Error as error:
            raise UnusableImageError(f"cannot be read ({error})") from error

    def _environment(self) -> Any:
        if not (self.root / "data.mdb").is_file():
            raise UserError(f"source {self.root}: there is no data.mdb in it; {_EXPECTED}")
        return _opened(str(self.root.resolve()), os.getpid())


@cache
def _opened(path: str, _process: int) -> Any:
    """Open the environment of a path: LMDB allows one per process, and a forked process needs its own."""
    import lmdb

    try:
        # Without a lock the folder may be read-only; without read-ahead only requested pages are read.
        environment = lmdb.open(path, readonly=True, lock=False, readahead=False, create=False)
    except lmdb.Error as error:
        raise UserError(f"source {path}: cannot be opened as an LMDB ({error}); {_EXPECTED}") from error
    # LMDB maps the file into memory: accessing a missing page would kill the process.
    there, stated = Path(path, "data.mdb").stat().st_size, _stated_bytes(environment)
    if there < stated:
        environment.close()  # it may be opened only once per process, and the file may be replaced meanwhile
        raise UserError(f"source {path}: its data.mdb is cut short: {there} of {stated} bytes; copy it again")
    return environment


def _stated_bytes(environment: Any) -> int:
    """Return the number of bytes that an LMDB claims to use."""
    return int((environment.info()["last_pgno"] + 1) * environment.stat()["psize"])
