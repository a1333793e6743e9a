"""Ends that are told in one line: bad input (exit code 2), and work that failed for a known reason (exit code 1)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Bad input: the message names the field, the value and the valid choices."""


class NotApplicableError(Exception):
    """Work that has no meaning here, such as a prompt that is not the method's; the message is the reason."""


class WorkError(RuntimeError):
    """Work that failed although the input was right: the message says what happened, where, and what was kept."""


def one_line(what: BaseException | str) -> str:
    """A text or the message of an error, safe in one line of a terminal: printable, at most 300 characters."""
    printable = "".join(c if c.isprintable() else " " for c in str(what))
    return (" ".join(printable.split()) or type(what).__name__)[:300]


def unknown_choice(field: str, value: str, choices: Iterable[str], first: Iterable[str] = ()) -> UserError:
    """An error for a value outside a closed list, with the nearest spelling first.

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
