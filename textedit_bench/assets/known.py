"""Store checksums of accepted files, for publishers who state none.

Size and time of change are kept as well, so that a file that was added manually, or changed since, is distinguished
from one that was looked at without reading it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textedit_bench.assets.asset import Asset
from textedit_bench.files import write_json


def _record(asset: Asset) -> Path:
    return asset.path.parent / "fetched.json"


def remember(asset: Asset, sha256: str | None) -> None:
    """Store the checksum of an accepted file, in the file's folder, so that it moves with the file.

    Args:
        asset: what was accepted.
        sha256: of the file; None if there is only the folder that was unpacked from it.
    """
    _record(asset).parent.mkdir(parents=True, exist_ok=True)
    known = {"file": asset.file, "sha256": sha256, "origin": asset.origin, **_state(asset)}
    write_json(_record(asset), known)


def forget(asset: Asset) -> None:
    """Remove the stored checksum of a wrong file."""
    _record(asset).unlink(missing_ok=True)


def remembered(asset: Asset) -> str | None:
    """Return the stored SHA-256 of an accepted file, or None."""
    value = _read(asset).get("sha256")
    return value if isinstance(value, str) else None


def is_checked(asset: Asset) -> bool:
    """Whether the file was accepted and is unchanged since. For an unpacked folder only the former is known."""
    record = _read(asset)
    return bool(record) and _state(asset).items() <= record.items()


def _state(asset: Asset) -> dict[str, int]:
    """Return values that change with the file; empty if it does not exist."""
    try:
        status = asset.path.stat()
    except OSError:
        return {}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _read(asset: Asset) -> dict[str, Any]:
    try:
        value = json.loads(_record(asset).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
