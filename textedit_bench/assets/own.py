"""Assets of a user's own, in a list beside the fetched files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml
from filelock import FileLock
from pydantic import ValidationError

from textedit_bench.assets.asset import Asset
from textedit_bench.assets.manifest import OWN, read_list
from textedit_bench.errors import UserError
from textedit_bench.files import write_text
from textedit_bench.places import assets_folder


def add_own(name: str, file: Path, *, licence: str | None, title: str | None, url: str | None) -> Asset:
    """Add a file to the user's own list; its checksum is what the file has now.

    Raises:
        UserError: no licence is given, or a value is not valid; names the field.
    """
    if not licence:
        raise UserError(f"asset {name!r} is new: --licence is needed; valid: any text, 'unknown' included")
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    values = {"id": name, "title": title or file.name, "file": file.name, "bytes": file.stat().st_size}
    values |= {"sha256": digest, "licence": licence, **({"url": url} if url else {"how": "added by hand"})}
    try:
        asset = Asset.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"asset {name!r}: {'.'.join(map(str, first['loc']))}: {message}") from error
    path = assets_folder() / OWN
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{OWN}.lock")):
        before = [a for a in read_list(path) if a.id != name] if path.is_file() else []
        items = [a.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for a in [*before, asset]]
        write_text(path, yaml.safe_dump(items, sort_keys=False, allow_unicode=True))
    return asset
