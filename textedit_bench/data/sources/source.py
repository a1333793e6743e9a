"""What every image source gives: entries in a fixed order, one at a time, and their bytes when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Entry:
    """One image that a source knows of, not read yet.

    Attributes:
        key: its name within the source, such as ``62000/62005.png``; unique.
        where: what the source needs to find it again.
    """

    key: str
    where: Any


class ImageSource(Protocol):
    """Encoded images in a fixed order.

    Opening one takes memory that does not grow with the number of images, walking through it a hundred bytes per image
    at most.
    """

    def entries(self) -> Iterator[Entry]:
        """All entries, always in the same order.

        Raises:
            UserError: nothing is there, or it is laid out in another way; says what was expected.
        """
        ...

    def read(self, entry: Entry) -> bytes:
        """The encoded bytes of an entry.

        Raises:
            UnusableImageError: they cannot be had.
        """
        ...
