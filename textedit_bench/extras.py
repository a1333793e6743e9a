"""Import optional dependencies; the error names the extra to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textedit_bench.errors import UserError


@contextmanager
def needs_extra(extra: str, feature: str) -> Iterator[None]:
    """Import packages of an extra in this context; if one is missing, the error says what to install.

    >>> with needs_extra("lmdb", "reading an LMDB"):
    ...     import no_such_package
    Traceback (most recent call last):
    textedit_bench.errors.UserError: reading an LMDB needs the extra lmdb (no_such_package is missing): \
pip install 'textedit-bench[lmdb]'

    Args:
        extra: its name in ``pyproject.toml``.
        feature: what was asked for.

    Raises:
        UserError: a package is not installed, or something that it imports.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        install = f"pip install 'textedit-bench[{extra}]'"
        raise UserError(f"{feature} needs the extra {extra} ({error.name} is missing): {install}") from error
