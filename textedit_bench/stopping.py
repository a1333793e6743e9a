"""Turn signals that ask a command to stop into one exception, with an exit code that says which it was."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C; what schedulers, containers and ``timeout`` send; the end of a terminal."""
_SAME_WISH = 1.0
"""Seconds within which a further signal is the same wish: ``timeout`` sends two, a closed terminal several."""


class Stopped(KeyboardInterrupt):  # whatever survives Ctrl-C survives the others in the same way
    """The process was asked to stop by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class _State:
    """What this process was asked, and whether it may be told just now."""

    handled: frozenset[int] = frozenset()
    asked: int | None = None
    since = 0.0
    postponed = False


def asked() -> int | None:
    """The signal that asked this process to stop first; None if none did."""
    return _State.asked


def line() -> str:
    """What is said at the end: ``interrupted``, by which signal where it was not Ctrl-C."""
    number = _State.asked or signal.SIGINT
    return "interrupted" if number == signal.SIGINT else f"interrupted ({signal.Signals(number).name})"


def exit_code() -> int:
    """128 plus the signal's number, as shells count: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_State.asked or signal.SIGINT)


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the signals into `Stopped` in the main thread while this lasts, each once a second at most.

    A signal that is ignored stays ignored: ``nohup`` and shells that start work in the background mean it.
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
    """Handle a signal again that a library has taken for itself, where `stoppable` handled it before.

    Lightning notes SIGTERM and ends as if nothing had happened.
    """
    if _in_main_thread() and number in _State.handled:
        signal.signal(number, stop)


def stop(number: int, _frame: FrameType | None = None) -> None:
    """The handler.

    Raises:
        Stopped: unless that is postponed, or was raised within the last second.
    """
    now = time.monotonic()
    if _State.asked is not None and now - _State.since < _SAME_WISH:
        return
    first, _State.since = _State.asked is None, now
    _State.asked = _State.asked or number
    if first and _State.postponed:  # whoever asks again will not wait
        return
    raise Stopped(number)


def postpone() -> None:
    """From here on a first signal is only noted, until `allow`: what is half done would be lost."""
    _State.postponed = True


def allow() -> None:
    """Let signals stop the process again.

    Raises:
        Stopped: one came meanwhile.
    """
    was, _State.postponed = _State.postponed, False
    if was and _State.asked is not None:
        raise Stopped(_State.asked)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
