"""Load the workshop, which is not shipped but part of a clone of the repository, for the commands that need it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from textedit_bench.errors import UserError

WORKSHOP = "textedit_workshop"


def from_workshop(module: str, command: str) -> Any:
    """Import a module of the workshop.

    Args:
        module: its name within the workshop.
        command: the command that needs it, for the message.

    Raises:
        UserError: the workshop is not installed.
    """
    try:
        import_module(WORKSHOP)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{command} needs a clone of the repository ({WORKSHOP} is missing); make venv installs it there"
        ) from error
    return import_module(f"{WORKSHOP}.{module}")
