"""Store which licences the user has accepted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from textedit_bench.assets.asset import Asset
from textedit_bench.errors import UserError
from textedit_bench.files import write_json
from textedit_bench.places import assets_folder, reraise_write_errors


def _record() -> Path:
    return assets_folder() / "accepted.json"


def accepted() -> dict[str, str]:
    """Return licence -> time of acceptance."""
    try:
        found = json.loads(_record().read_text(encoding="utf-8"))
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
    with reraise_write_errors(_record()):
        _record().parent.mkdir(parents=True, exist_ok=True)
        write_json(_record(), {**known, asset.licence: datetime.now(UTC).isoformat(timespec="seconds")})
