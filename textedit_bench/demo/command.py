"""Write the command lines that make what the demo shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence


def command_line(action: str, options: Mapping[str, object], arguments: Sequence[str]) -> str:
    """A line for a shell, quoted for it.

    >>> command_line("edit", {"--method": "my-method", "--strength": 1.5}, ["me.png", "blond hair"])
    "textedit-bench edit --method my-method --strength 1.5 me.png 'blond hair'"
    """
    words = [str(word) for option in options.items() for word in option]
    separator = ["--"] * any(argument.startswith("-") for argument in arguments)
    return shlex.join(["textedit-bench", action, *words, *separator, *arguments])
