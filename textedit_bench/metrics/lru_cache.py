"""Remember results that come back, such as a network's rows for pictures that another cell shows too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class LRUCache(Generic[T]):
    """Remembers the results of a pure function for the keys that were asked for last.

    Args:
        limit: how many results are kept; the one that was not asked for longest goes first.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self._limit = limit
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def __call__(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result for ``key``, computed where it is not remembered; nothing is kept where computing fails."""
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        result = self._known[key] = compute()
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return result

    def __len__(self) -> int:
        return len(self._known)
