"""Write the command lines that make what the demo shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where pictures are made: options that both commands share."""

    dataset: str
    tier: str
    device: str

    def options(self, method: str) -> list[str]:
        """As words of a command line."""
        device = [] if self.device == "cpu" else ["--device", self.device]
        return ["--method", method, "--dataset", self.dataset, "--tier", self.tier, *device]


def edit_command(place: Place, photo: Sequence[str], text: str, method: str, strength: float) -> str:
    """The line for a shell that makes one edit; ``photo`` is a file or an image id, and options that it needs.

    >>> edit_command(Place("ffhq", "mini", "cpu"), ["me.png"], "blond hair", "ffclip", 1.5)
    "textedit-bench edit --method ffclip --dataset ffhq --tier mini --strength 1.5 me.png 'blond hair'"
    """
    name, *options = photo
    return _line("edit", [*place.options(method), "--strength", f"{strength:g}", *options], [name, text])


def generate_command(place: Place, text: str, method: str, n: int, seed: int) -> str:
    """The line for a shell that generates ``n`` pictures."""
    return _line("generate", [*place.options(method), "-n", str(n), "--seed", str(seed)], [text])


def _line(command: str, options: list[str], arguments: list[str]) -> str:
    separator = ["--"] if any(argument.startswith("-") for argument in arguments) else []
    return shlex.join(["textedit-bench", command, *options, *separator, *arguments])
