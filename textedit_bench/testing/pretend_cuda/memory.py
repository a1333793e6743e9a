"""Track memory of the emulated device."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor


class Memory:
    """Bytes of storages held by tensors on the device; workspaces inside operators are not included.

    Attributes:
        live: bytes now, all cards together.
        peak: most bytes since `start`.
        peak_at: lines that reached the peak.
    """

    def __init__(self, place: Callable[[], str]) -> None:
        self.live, self.peak, self.peak_at = 0, 0, ""
        self._held: dict[int, tuple[int, int]] = {}
        self._place, self._lock = place, threading.RLock()

    def add(self, owner: Any, inner: Tensor) -> weakref.finalize[..., Any]:
        """Count the storage of ``inner`` until ``owner`` is deleted, or the returned function is called."""
        storage = inner.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        with self._lock:
            count, _ = self._held.get(key, (0, size))
            self._held[key] = (count + 1, size)
            if not count:
                self.live += size
                if self.live > self.peak:
                    self.peak, self.peak_at = self.live, self._place()
        release = weakref.finalize(owner, self._drop, key)
        release.atexit = False
        return release

    def _drop(self, key: int) -> None:
        with self._lock:
            count, size = self._held.pop(key)
            if count > 1:
                self._held[key] = (count - 1, size)
            else:
                self.live -= size

    def start(self) -> int:
        """Reset the peak; return live bytes."""
        self.peak, self.peak_at = self.live, ""
        return self.live
