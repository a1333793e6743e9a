"""Bytes that live on the pretended device."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor


class Memory:
    """Bytes of the storages that some tensor on the device still holds; workspaces inside operators are not seen.

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
        """Count the storage of ``inner`` until ``owner`` is gone, or what is given back is called."""
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
        """Forget the peak so far; bytes that live now."""
        self.peak, self.peak_at = self.live, ""
        return self.live
