"""Interface of image sources: entries in a fixed order, one at a time, and their bytes on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Entry:
    """One image of a source, not read yet.

    Attributes:
        key: its name within the source, such as ``62000/62005.png``; unique.
        where: its location, for the source.
    """

    key: str
    where: Any


class ImageSource(Protocol):
    """Encoded images in a fixed order.

    Opening a source takes constant memory, iterating over it at most a hundred bytes per image.
    """

    def entries(self) -> Iterator[Entry]:
        """Iterate over all entries, always in the same order.

        Raises:
            UserError: nothing exists there, or the layout is wrong; says what was expected.
        """
        ...

    def read(self, entry: Entry) -> bytes:
        """Read the encoded bytes of an entry.

        Raises:
            UnusableImageError: they cannot be read.
        """
        ...
