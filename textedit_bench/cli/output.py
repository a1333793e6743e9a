"""Print plain columns and JSON on stdout; a broken or limited stdout or stderr never causes an error of its own."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from textedit_bench.registry import BrokenPlugin


def print_json(value: Any) -> None:
    """Print one indented JSON document; characters that stdout's encoding lacks are escaped as in JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    typer.echo(text)


def print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print left-aligned columns under a header; nothing is truncated, so that the lines can be searched."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    for line in [header, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_broken(plugins: Sequence[BrokenPlugin]) -> None:
    """Print one line for each broken plugin, after the list of working ones."""
    for plugin in plugins:
        typer.echo(f"{plugin.name}  broken: {plugin.reason} [{plugin.origin}]")


@contextmanager
def forgiving() -> Iterator[None]:
    """Make stdout and stderr accept every text in this context.

    Characters that the encoding lacks (latin-1, cp1252, ascii) are escaped. If stderr fails (a closed terminal,
    a closed pipe, a full disk), the text is dropped: no work ends because it cannot be reported.
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
    """Redirect closed streams to the null device: else the next opened files would reuse their descriptors."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)
            opened: Any = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
            setattr(sys, name, io.TextIOWrapper(opened, encoding="utf-8"))


def flush_stdout() -> None:
    """Flush stdout, so that a full disk is reported now and not at the interpreter's exit.

    Raises:
        OSError: it cannot be written; the buffer is dropped.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
            _let_go(sys.__stdout__)
        raise


def _let_go(stream: io.TextIOWrapper) -> None:
    """Redirect a stream to the null device, which drops its buffer."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


class _Losing(io.RawIOBase):
    """Byte stream that drops what the underlying stream refuses."""

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
