"""Print to whatever the command line is connected to, without an error of its own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def forgiving() -> Iterator[None]:
    """Make stdout and stderr take every text while this lasts.

    What an encoding lacks (latin-1, cp1252, ascii) is printed as its escape. A stderr that is gone (a closed terminal,
    a pipe that nobody reads, a full disk) loses the text: no work ends because it cannot be told about.
    """
    _open_closed()
    before = sys.stdout, sys.stderr
    errors = [(stream, stream.errors) for stream in before if isinstance(stream, io.TextIOWrapper)]
    for stream, _ in errors:
        stream.reconfigure(errors="backslashreplace")
    losing = None
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        buffer: Any = _Losing(sys.stderr.buffer)
        losing = io.TextIOWrapper(
            buffer, sys.stderr.encoding, "backslashreplace", line_buffering=True, write_through=True
        )
        sys.stderr = losing
    try:
        yield
    finally:
        sys.stderr = before[1]
        if losing is not None:
            losing.detach()  # else its end would close the real one
        for stream, rule in errors:
            try:
                stream.reconfigure(errors=rule)  # writes what is held back
            except OSError:
                _let_go(stream)
                stream.reconfigure(errors=rule)


def _open_closed() -> None:
    """Put the null device in place of streams that are closed: else the next files would take their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)
            opened: Any = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
            setattr(sys, name, io.TextIOWrapper(opened, encoding="utf-8"))


def flush_stdout() -> None:
    """Write what is still held back, so that a full disk is told of and not met at the interpreter's end.

    Raises:
        OSError: it cannot be written; nothing is held back any more.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
            _let_go(sys.__stdout__)
        raise


def _let_go(stream: io.TextIOWrapper) -> None:
    """Put the null device behind a stream: what it still holds back goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


class _Losing(io.RawIOBase):
    """Bytes for a stream, lost where that does not take them."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            self._stream.write(data)
            self._stream.flush()
        except (OSError, ValueError):
            pass
        return len(data)

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())
