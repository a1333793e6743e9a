"""Errors that are reported in one line: bad input (exit code 2), and failures with a known reason (exit code 1)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Bad input: the message names the field, the value and the valid choices."""


class NotApplicableError(Exception):
    """Work that does not apply here, such as a prompt that a method does not support; the message is the reason."""


class WorkError(RuntimeError):
    """Failure despite valid input: the message says what happened, where, and what was kept."""


def one_line(what: BaseException | str) -> str:
    """Reduce a text or an error's message to one safe line of a terminal: printable, at most 300 characters."""
    printable = "".join(c if c.isprintable() else " " for c in str(what))
    return (" ".join(printable.split()) or type(what).__name__)[:300]


def kind_and_message(error: BaseException) -> str:
    """Return the class and the message of an error on one safe line, as `one_line`."""
    return one_line(f"{type(error).__name__}: {error}")


def unknown_choice(field: str, value: str, choices: Iterable[str], first: Iterable[str] = ()) -> UserError:
    """Return an error for a value outside a closed list, with the nearest spelling first.

    Args:
        field: what was being chosen, such as ``method`` or ``dataset``.
        value: what was given.
        choices: every valid value.
        first: valid values too, listed before the others.
    """
    valid = [*sorted(first), *sorted(choices)]
    close = get_close_matches(value.lower(), valid, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return UserError(f"unknown {field} {value!r}.{hint} Valid: {', '.join(valid) if valid else '(none)'}")


class CheckpointError(UserError):
    """A weights file that cannot be read as requested; one line with the file and the reason."""
