"""Cache results of a pure function, such as a network's rows for pictures that other cells show too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class LRUCache(Generic[T]):
    """Least-recently-used cache of the results of a pure function.

    Args:
        limit: maximum number of results; the least recently used one is dropped first.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self._limit = limit
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def __call__(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result for ``key``, computed if it is not cached; if computing fails, nothing is cached."""
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        result = self._known[key] = compute()
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return result

    def __len__(self) -> int:
        return len(self._known)
