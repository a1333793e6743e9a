"""List all assets by id, described as data without heavy imports: of the framework, of plugins, and of the user."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import assets_folder, data_folder


class Asset(BaseModel):
    """Metadata of a file that this project uses and does not ship."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    """What it is, in a few words."""
    file: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    """Its name here; the publisher's where it has a usable one."""
    url: str | None = None
    """Direct link."""
    drive: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+$")
    """Google Drive id of a file."""
    page: str | None = None
    """Where a person finds it."""
    how: str = ""
    """What to do where it cannot be fetched by a command."""
    bytes: int | None = Field(default=None, gt=0)
    """Exact size."""
    about_bytes: int | None = Field(default=None, gt=0)
    """Rough size, where only that is known."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    git_blob: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """SHA-1 of the file as a git object, where that is what the publisher states."""
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{8,32}$")
    """MD5, or its first digits, where that is what the publisher states."""
    evidence: Literal["several", "one", "none"] = "none"
    """How many independent public sources state the checksum."""
    licence: str
    """Its terms; where none are stated, those of what it was made from."""
    non_commercial: bool = False
    """Whether these terms restrict to non-commercial use, and have to be accepted before the file is fetched."""
    used_by: tuple[str, ...] = ()
    """Who reads it: methods, data sets, or a use in words."""
    unpack: str | None = None
    """Folder of the data folder into which the archive is unpacked."""
    architecture: str | None = None
    """open_clip architecture of a CLIP's bare tensors, which do not tell it."""
    note: str = ""

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("expected a link that starts with https:// or http://")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Asset:
        if self.url and self.drive:
            raise ValueError("url and drive: only one can be fetched from")
        if not (self.url or self.drive or self.page or self.how):
            raise ValueError("no origin: one of url, drive, page or how is needed")
        if self.unpack is not None and (Path(self.unpack).is_absolute() or ".." in Path(self.unpack).parts):
            raise ValueError("unpack: expected a folder below the data folder")
        return self

    @property
    def path(self) -> Path:
        """The file's path, whether it exists or not."""
        return assets_folder() / self.id / self.file

    @property
    def unpacked(self) -> Path | None:
        """The folder an archive is unpacked into, or None."""
        return None if self.unpack is None else data_folder() / self.unpack

    @property
    def is_unpacked(self) -> bool:
        """Whether the folder exists and is not empty."""
        folder = self.unpacked
        return folder is not None and folder.is_dir() and next(folder.iterdir(), None) is not None

    @property
    def present(self) -> bool:
        """Whether the file or its unpacked content exists. The content is verified by downloads only."""
        return self.path.is_file() or self.is_unpacked

    @property
    def place(self) -> Path:
        """The path of what exists: the unpacked folder if only that exists, else the file's path."""
        return self.unpacked if self.unpacked and self.is_unpacked and not self.path.is_file() else self.path

    @property
    def origin(self) -> str:
        """Description of the origin."""
        if self.drive:
            return f"https://drive.google.com/file/d/{self.drive}"
        return self.url or self.page or self.how

    @property
    def fetchable(self) -> bool:
        """Whether a command can fetch it."""
        return bool(self.url or self.drive)

    @property
    def has_checksum(self) -> bool:
        """Whether a checksum or similar is known to verify the content."""
        return bool(self.sha256 or self.git_blob or self.md5)

    @property
    def size(self) -> int | None:
        """Size in bytes, exact or approximate."""
        return self.bytes or self.about_bytes

    def advice(self) -> str:
        """Instructions if it is missing: file, origin, path."""
        fetch = f"textedit-bench assets fetch {self.id}" if self.fetchable else self.how or "not fetched by a command"
        return f"{self.file}, from {self.origin}; {fetch}, or put it at {self.path}"


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
