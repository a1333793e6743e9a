"""Read the usable images of one part of a source, by number; worker processes decode them.

This process reads bytes, workers decode them: a decoder gets no path, and a source is never forked.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from PIL import Image

from textedit_bench.data.decode import UnusableImageError, decode_picture
from textedit_bench.data.pixels import Pixels
from textedit_bench.data.sources.source import Entry, ImageSource

WORTH_WORKERS = 16
"""Fewer images than this are decoded in this process: starting workers would take longer."""


@dataclass(frozen=True)
class Picture:
    """A decoded image: key in the source, pixels, 8-bit [H, W, 3], and changes by decoding."""

    key: str
    pixels: Pixels
    changes: tuple[str, ...] = ()


Prepared = tuple[Pixels, tuple[str, ...]]
"""Pixels, and what decoding changed about the picture."""


@dataclass(frozen=True)
class Skipped:
    """An unusable image: position and key in the source, and the reason."""

    position: int
    key: str
    reason: str


class Reader:
    """Usable images at positions ``first <= position < stop`` of a source.

    Image number n is the n-th usable one. Skipped images are recorded, and continuing where the last call
    stopped does not restart the workers.

    Args:
        source: where the images come from.
        prepare: converts a decoded picture to pixels; raises `UnusableImageError` for an unusable one.
        first: position of the first entry.
        stop: one past the last position; the source's end if None.
        workers: number of decoding processes; 0 decodes in this process.
    """

    def __init__(
        self,
        source: ImageSource,
        prepare: Callable[[Image.Image], Pixels],
        *,
        first: int = 0,
        stop: int | None = None,
        workers: int = 0,
    ) -> None:
        self.source, self.first, self.stop = source, first, stop
        self._decoder = _Decoder(prepare)
        # A daemonic process (a worker of a pool) must not have children.
        self._workers = 0 if multiprocessing.current_process().daemon else workers
        self.skipped: list[Skipped] = []
        self._stream: Iterator[tuple[Entry, Prepared | str]] = iter(())
        self._next: int | None = None
        """Position of what ``_stream`` gives next."""
        self._parallel = False
        self._scanned = first
        """Positions before this one are known to be usable or not."""

    def read(self, start: int, count: int) -> Iterator[Picture]:
        """Read images ``start .. start + count``, fewer if the source ends."""
        position, number = self._position(start)
        self._seek(position, parallel=self._workers > 0 and start + count - number >= WORTH_WORKERS)
        while number < start + count:
            found = next(self._stream, None)
            if found is None:
                self._next = None
                return
            entry, picture = found
            if isinstance(picture, str):
                self._skip(entry, picture)
                continue
            self._pass()
            if number >= start:
                yield Picture(entry.key, *picture)
            number += 1

    def _position(self, number: int) -> tuple[int, int]:
        """Return the last known position at or before image ``number``, and the number of the image there."""
        position = self.first + number
        for skipped in self.skipped:  # ascending
            if skipped.position > position:
                break
            position += 1
        if position <= self._scanned:
            return position, number
        return self._scanned, self._scanned - self.first - len(self.skipped)

    def _seek(self, position: int, *, parallel: bool) -> None:
        if self._next == position and self._parallel >= parallel:
            return
        self._stream = self._decoded(islice(self.source.entries(), position, self.stop), parallel)
        self._next, self._parallel = position, parallel

    def _skip(self, entry: Entry, reason: str) -> None:
        assert self._next is not None
        if self._next >= self._scanned:
            self.skipped.append(Skipped(self._next, entry.key, reason))
        self._pass()

    def _pass(self) -> None:
        assert self._next is not None
        self._next += 1
        self._scanned = max(self._scanned, self._next)

    def _decoded(self, entries: Iterator[Entry], parallel: bool) -> Iterator[tuple[Entry, Prepared | str]]:
        """Iterate over entries with their pictures, or the reasons why there are none, in order."""
        sent: deque[Entry] = deque()

        def encoded() -> Iterator[bytes | str]:
            for entry in entries:
                sent.append(entry)
                yield self._bytes(entry)

        results: Iterable[Prepared | str] = map(self._decoder, encoded())
        if parallel:
            from torch.utils.data import DataLoader

            # A loader prefetches a few entries and returns results in their order.
            results = DataLoader(
                cast(Any, self._decoder),  # duck typing is sufficient; a base class would import torch
                batch_size=None,
                sampler=_Once(encoded()),
                num_workers=self._workers,
                collate_fn=_as_it_is,
            )
        for result in results:
            yield sent.popleft(), result

    def _bytes(self, entry: Entry) -> bytes | str:
        try:
            return self.source.read(entry)
        except UnusableImageError as error:
            return str(error)


class _Decoder:
    """Decodes bytes to pixels; a text is a reason and is passed on. "Indices" are the bytes themselves."""

    def __init__(self, prepare: Callable[[Image.Image], Pixels]) -> None:
        self._prepare = prepare

    def __getitem__(self, encoded: bytes | str) -> Prepared | str:
        if isinstance(encoded, str):
            return encoded
        try:
            decoded = decode_picture(encoded)
            return self._prepare(decoded.image), decoded.changes
        except UnusableImageError as error:
            return str(error)

    __call__ = __getitem__


class _Once:
    """A stream with the interface of a sampler: it has no length and is iterated once."""

    def __init__(self, stream: Iterator[bytes | str]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes | str]:
        return self._stream


def _as_it_is(item: Any) -> Any:
    return item
