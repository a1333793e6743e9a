"""Read the manifest of a results folder into one typed model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from textedit_bench.bench.cell import ImageSet, digest_of
from textedit_bench.precision import HIGHEST
from textedit_bench.prompt import Prompt

SCHEMA = 1
MANIFEST = "manifest.json"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class StoredFile(_Section):
    """A file that a stage wrote."""

    sha256: str


class Pictures(_Section):
    """Which pictures of the edits are stored, see `textedit_bench.bench.kept.Kept`."""

    kept: str = "all"
    copied: dict[str, str] | None = None


class Stage(_Section):
    """Fields of every stage."""

    files: dict[str, StoredFile] = {}
    finished: str = ""
    threads: int = 0
    environment: dict[str, Any] = {}

    def facts(self) -> dict[str, Any]:
        """Facts published with the stage, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"files", "finished"})


class Edited(Stage):
    """The stage ``infer``: edits, or photos and their inversions."""

    ids: list[str] = []
    """Names of the images."""
    cost: list[dict[str, Any]] = []
    space: str = ""
    inputs: str = ""
    """Folder of the photos and inversions that the edits started from."""
    device: str = ""
    command: str = ""
    pictures: Pictures = Pictures()
    request: dict[str, Any] = {}


class Scored(Stage):
    """The stage ``score``: records of edits, or features of photos."""

    protocols: dict[str, dict[str, Any]] = {}
    """Metric name -> protocol."""
    protocol: dict[str, Any] | None = None
    """What the features of photos depend on."""


class Listing(_Section):
    """What tables show about a cell, see `Cell.listing`."""

    title: str = ""
    default_strength: float = 1.0
    control: bool = False
    trained: bool = False
    caveat: str = ""
    matched_method: str | None = None
    matched_title: str | None = None


class CellIdentity(_Section):
    """Values of which the digest of a cell is computed, see `Cell.identity`."""

    tier: str
    dataset: str
    method: str
    prompt_id: str
    prompt: Prompt
    seed: int
    strengths: list[float]
    settings: dict[str, Any]
    images: ImageSet = ImageSet("", 0, "")
    networks: dict[str, str] = {}
    weights: str | None = None
    matched_to: str | None = None
    variant: str = ""
    device: str = "cpu"
    precision: str = HIGHEST


class Manifest(_Section):
    """A manifest; a stage that did not run is missing."""

    identity: dict[str, Any]
    infer: Edited
    score: Scored | None = None
    listing: Listing = Listing()

    @property
    def protocols(self) -> dict[str, dict[str, Any]]:
        """Metric name -> protocol of a cell's scores; empty if it has none."""
        return self.score.protocols if self.score is not None else {}


def load_manifest(path: Path) -> tuple[dict[str, Any], Manifest]:
    """Load the manifest of a folder, as plain values and as a model.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a manifest, or has another schema.
    """
    raw: Any = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise ValueError("it is of another kind")
    return raw, Manifest.model_validate(raw)


def read_manifest(path: Path) -> Manifest | None:
    """Read the manifest of a folder without verifying checksums; None if there is no readable one."""
    try:
        return load_manifest(path)[1]
    except (OSError, ValueError):
        return None


def read_scored(path: Path) -> Manifest | None:
    """Like `read_manifest`, for a cell that has scores and whose folder name matches its identity."""
    found = read_manifest(path)
    try:
        complete = found is not None and found.score is not None and digest_of(found.identity) == path.name
    except ValueError:  # numbers that JSON cannot hold
        return None
    return found if complete else None
