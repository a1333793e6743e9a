"""Check that nodes agree: package versions, results folder, GPU model."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from textedit_bench.bench.machine import environment
from textedit_bench.errors import UserError

SAME = ("textedit_bench", "python")
"""Entries of the environment that must be equal on all nodes, in addition to the versions of the packages."""
LATE = 10.0
"""Seconds after which new files become visible on network file systems."""


def versions() -> dict[str, Any]:
    """Return the package versions of this process."""
    known = environment()
    return {**{name: known[name] for name in SAME}, **known["packages"]}


def check_node(mark: Path, asked: dict[str, Any], device: str) -> None:
    """Check that a node is compatible with the bench.

    Args:
        mark: a file in the results folder, created by the process that starts the bench. The first node writes its
            GPU model next to it.
        asked: `versions` of the process that starts the bench.
        device: ``cpu`` or a CUDA device.

    Raises:
        UserError: other versions, a folder that the node cannot see, or another GPU model, which rounds differently.
    """
    here = os.uname().nodename
    other = [f"{name} {asked[name]} asks, {own} answers" for name, own in versions().items() if asked[name] != own]
    if other:
        raise UserError(f"node {here} has other versions: {'; '.join(other)}")
    began = time.monotonic()
    while not mark.exists():
        if time.monotonic() - began > LATE:
            raise UserError(f"results: node {here} cannot see {mark.parent}; valid: a folder that all nodes share")
        time.sleep(0.5)
    if device.startswith("cuda"):
        own = _card(device)
        first = _first_to_say(cards_file(mark), own)
        if own != first:
            raise UserError(
                f"node {here} has {own}, another has {first}: cells of both are not comparable to the last digit; "
                "valid: nodes with one model of GPU"
            )


def cards_file(mark: Path) -> Path:
    """Return the path of the file with the GPU model."""
    return mark.with_name(f"{mark.name}-card")


def _card(device: str) -> str:
    import torch

    from textedit_bench.devices import checked_device

    return torch.cuda.get_device_name(checked_device(device))


def _first_to_say(path: Path, word: str) -> str:
    """Write a text if the file does not exist yet; return its content."""
    own = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    own.write_text(word, encoding="utf-8")
    try:
        os.link(own, path)  # unlike a rename, it fails if there is one
    except FileExistsError:
        return path.read_text(encoding="utf-8")
    finally:
        own.unlink()
    return word
