"""Store what was accepted: checksums of files whose publishers state none, and licences by the user.

Size and time of change are kept as well, so that a file that was added manually, or changed since, is distinguished
from one that was looked at without reading it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textedit_bench.assets.manifest import Asset
from textedit_bench.errors import UserError
from textedit_bench.files import assets_folder, reraise_write_errors, write_json


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


def _licences() -> Path:
    return assets_folder() / "accepted.json"


def accepted() -> dict[str, str]:
    """Return licence -> time of acceptance."""
    try:
        found = json.loads(_licences().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def require(asset: Asset, *, accept: bool) -> None:
    """Check that the licence of a file is accepted, now or earlier, if it is restrictive.

    Raises:
        UserError: it was not.
        PlaceError: it cannot be remembered.
    """
    if not asset.non_commercial:
        return
    known = accepted()
    if asset.licence in known:
        return
    if not accept:
        raise UserError(
            f"asset {asset.id}: for non-commercial use only (licence: {asset.licence}); read it where the file comes "
            f"from ({asset.page or asset.origin}) and run again with --accept-licence"
        )
    with reraise_write_errors(_licences()):
        _licences().parent.mkdir(parents=True, exist_ok=True)
        write_json(_licences(), {**known, asset.licence: datetime.now(UTC).isoformat(timespec="seconds")})
