"""Convert signals that stop a command to one exception, with an exit code per signal."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C; the signal of schedulers, containers and ``timeout``; the end of a terminal."""
_SAME_WISH = 1.0
"""Seconds within which a further signal is the same request: ``timeout`` sends two, a closed terminal several."""


class Stopped(KeyboardInterrupt):  # code that handles Ctrl-C handles the other signals in the same way
    """The process received the signal `number`, which stops it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class _State:
    """Received signals, and whether stopping is postponed."""

    handled: frozenset[int] = frozenset()
    asked: int | None = None
    since = 0.0
    postponed = False


def asked() -> int | None:
    """Return the signal that first stopped this process; None if there was none."""
    return _State.asked


def line() -> str:
    """Return the final message: ``interrupted``, with the signal unless it was Ctrl-C."""
    number = _State.asked or signal.SIGINT
    return "interrupted" if number == signal.SIGINT else f"interrupted ({signal.Signals(number).name})"


def exit_code() -> int:
    """Return 128 plus the signal's number: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_State.asked or signal.SIGINT)


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` in the main thread for signals in this context, each at most once a second.

    An ignored signal stays ignored, as intended by ``nohup`` and by shells for background jobs.
    """
    _State.asked, _State.postponed = None, False
    before = {number: signal.getsignal(number) for number in SIGNALS} if _in_main_thread() else {}
    outer = _State.handled
    _State.handled = frozenset(number for number, handler in before.items() if handler is not signal.SIG_IGN)
    for number in _State.handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        _State.handled = outer
        for number, handler in before.items():
            if handler is not None:  # not set by Python
                signal.signal(number, handler)


def take_back(number: int = signal.SIGTERM) -> None:
    """Restore the handler of a signal that a library has replaced, if `stoppable` handled it before.

    Lightning handles SIGTERM and ends without an error.
    """
    if _in_main_thread() and number in _State.handled:
        signal.signal(number, stop)


def stop(number: int, _frame: FrameType | None = None) -> None:
    """Handle a signal.

    Raises:
        Stopped: unless stopping is postponed, or was requested within the last second.
    """
    now = time.monotonic()
    if _State.asked is not None and now - _State.since < _SAME_WISH:
        return
    first, _State.since = _State.asked is None, now
    _State.asked = _State.asked or number
    if first and _State.postponed:  # a second request is not deferred
        return
    raise Stopped(number)


def postpone() -> None:
    """Defer a first signal until `allow`, so that unfinished work is not lost."""
    _State.postponed = True


def allow() -> None:
    """Stop deferring signals.

    Raises:
        Stopped: a signal was received meanwhile.
    """
    was, _State.postponed = _State.postponed, False
    if was and _State.asked is not None:
        raise Stopped(_State.asked)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
