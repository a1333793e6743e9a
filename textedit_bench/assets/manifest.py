"""List all assets by id: those of the framework, of plugins, and of the user."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from textedit_bench.assets.asset import Asset
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.places import assets_folder

GROUP = "textedit_bench.assets"
OWN = "own.yaml"
"""The user's own list, in the folder of assets."""


def list_assets() -> dict[str, Asset]:
    """Return all known assets, id -> asset, in the order of the lists, the user's last.

    Raises:
        UserError: a list is damaged, or two of them claim an id.
    """
    own = assets_folder() / OWN
    return dict(_listed(str(own), own.stat().st_mtime_ns if own.is_file() else None))


@lru_cache(maxsize=4)
def _listed(own: str, changed_ns: int | None) -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for where in [*_lists(), *([Path(own)] if changed_ns is not None else [])]:
        for asset in read_list(where):
            if asset.id in found:
                raise UserError(f"assets: id {asset.id!r} is claimed twice, the second time by {where}")
            found[asset.id] = asset
    return found


def get_asset(name: str) -> Asset:
    """Return the asset of an id, or of a unique file name.

    Raises:
        UserError: unknown, or a file name of several.
    """
    known = list_assets()
    if name in known:
        return known[name]
    named = [asset for asset in known.values() if asset.file == name]
    if len(named) > 1:
        raise UserError(f"asset {name!r} is the file of several: {', '.join(asset.id for asset in named)}")
    if not named:
        raise unknown_choice("asset", name, known)
    return named[0]


def read_list(where: Traversable) -> list[Asset]:
    """Read the assets of one YAML list.

    Raises:
        UserError: it cannot be read, or a field is wrong; names asset and field.
    """
    try:
        content = yaml.safe_load(where.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise UserError(f"assets {where}: cannot be read ({' '.join(str(error).split())})") from error
    if content is None:
        return []
    if not isinstance(content, list):
        raise UserError(f"assets {where}: expected a list, got {type(content).__name__}")
    return [_asset(where, number, item) for number, item in enumerate(content)]


def _asset(where: Traversable, number: int, item: Any) -> Asset:
    try:
        return Asset.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        name = item.get("id", number) if isinstance(item, dict) else number
        field = ".".join(str(part) for part in first["loc"]) or "(all)"
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"assets {where}: {name}: field {field}: {message}") from error


def _lists() -> Iterator[Traversable]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        folder = point.load()
        if isinstance(folder, (str, Path)):
            folder = Path(folder)
        if folder.is_dir():
            yield from sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda file: file.name)
        else:
            yield folder
