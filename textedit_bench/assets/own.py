"""Maintain a list of the user's own assets, stored with the downloaded files."""

from __future__ import annotations

from pathlib import Path

import yaml
from filelock import FileLock
from pydantic import ValidationError

from textedit_bench.assets.manifest import OWN, Asset, read_list
from textedit_bench.errors import UserError
from textedit_bench.files import assets_folder, reraise_write_errors, sha256, write_text

_FORMS = {
    "id": "lower-case letters, digits, '-' and '.', a letter or digit first",
    "file": "a name of letters, digits, '_', '-' and '.', no '-' or '.' first; rename the file",
}
"""Field -> what a value of it looks like, in words."""


def own_asset(name: str, file: Path, *, licence: str | None, title: str | None, url: str | None) -> Asset:
    """Create an asset of a file, with its current checksum. Nothing is written: see `list_own`.

    Raises:
        UserError: no licence is given, or a value is not valid; names the field.
    """
    if not licence:
        raise UserError(f"asset {name!r} is new: --licence is needed; valid: any text, 'unknown' included")
    values = {"id": name, "title": title or file.name, "file": file.name, "bytes": file.stat().st_size}
    values |= {"sha256": sha256(file), "licence": licence, **({"url": url} if url else {"how": "added by hand"})}
    try:
        return Asset.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if field in _FORMS:
            raise UserError(
                f"asset {name!r}: {field} {values[field]!r} is not valid; valid: {_FORMS[field]}"
            ) from error
        raise UserError(f"asset {name!r}: {field}: {first['msg'].removeprefix('Value error, ')}") from error


def list_own(asset: Asset) -> None:
    """Add an asset to the user's own list, replacing one of the same id.

    Raises:
        PlaceError: the list cannot be written.
    """
    path = assets_folder() / OWN
    with reraise_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, asset)


def _write(path: Path, asset: Asset) -> None:
    with FileLock(path.with_name(f".{OWN}.lock")):
        before = [a for a in read_list(path) if a.id != asset.id] if path.is_file() else []
        items = [a.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for a in [*before, asset]]
        write_text(path, yaml.safe_dump(items, sort_keys=False, allow_unicode=True))


def refuse_other_file(asset: Asset, file: Path) -> None:
    """Refuse a file for an asset whose path has another one, which would be kept and the new file ignored.

    Raises:
        UserError: there is one; names it.
    """
    if asset.present and (asset.place != asset.path or sha256(asset.path) != sha256(file)):
        raise UserError(f"file {file}: another file is there already; remove {asset.place} first")
