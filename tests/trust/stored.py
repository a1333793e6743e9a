"""What of a results folder must be equal between two runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

NAMES = ("records.parquet", "images.zip", "features.npz", "edits.safetensors", "latents.safetensors")


def contents(results: Path) -> dict[str, str]:
    """Path -> SHA-256 of every stored edit, picture, feature and record; what was set aside does not count."""
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.name in NAMES and ".corrupt-" not in str(path)
    }


def records_digest(results: Path) -> tuple[int, str]:
    """How many cells have records, and one digest of all that `contents` names."""
    found = contents(results)
    cells = sum(name.endswith("records.parquet") for name in found)
    return cells, hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16]
