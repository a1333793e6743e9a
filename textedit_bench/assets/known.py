"""Checksums of files that were accepted before: what a publisher does not state is remembered from the first time."""

from __future__ import annotations

import json
from pathlib import Path

from textedit_bench.assets.asset import Asset
from textedit_bench.files import write_json


def _record(asset: Asset) -> Path:
    return asset.path.parent / "fetched.json"


def remember(asset: Asset, sha256: str) -> None:
    """Keep what an accepted file's content was; beside the file, so that it goes where the file goes."""
    write_json(_record(asset), {"file": asset.file, "sha256": sha256, "origin": asset.origin})


def remembered(asset: Asset) -> str | None:
    """The SHA-256 of the file as it was accepted, or None."""
    try:
        value = json.loads(_record(asset).read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None
