"""Define a cell (one method on one data set for one prompt and one seed), its identity, and its folder's manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from textedit_bench.devices import HIGHEST
from textedit_bench.prompt import Prompt

RUNNER_VERSION = 2
"""Increased manually when a change of the runner changes stored edits."""


def digest_of(identity: Mapping[str, Any]) -> str:
    """Return the first 16 hex digits of the SHA-256 of a JSON value, independent of the order of keys."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ImageSet:
    """A set of photos, identified by names and content."""

    split: str
    count: int
    digest: str
    """Of the ids and the 8-bit pixels."""
    pool: str = ""
    """Of the photos of all prompts and their assignment to prompts; empty if every prompt uses all photos."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Everything that determines a cell's edits.

    Strength is a column inside a cell, so the whole grid belongs to the identity.
    """

    tier: str
    dataset: str
    method: str
    prompt_id: str
    prompt: Prompt
    seed: int
    strengths: tuple[float, ...]
    images: ImageSet
    networks: Mapping[str, str]
    """Role -> digest of the domain's networks that methods see."""
    weights: str | None
    """Digest of the method's own weights, None if it has none."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """All settings, defaults included."""
    method_version: int = 1
    device: str = "cpu"
    """Kind of device; kinds of device round differently, so their cells differ."""
    precision: str = HIGHEST
    """One of `textedit_bench.devices`."""
    variant: str = ""
    """``tuned`` if the settings are not the published ones; such cells form a separate row."""
    matched_to: Cell | None = None
    """For a control that copies a measure of another cell: that cell."""
    title: str = ""
    default_strength: float = 1.0
    control: bool = False
    trained: bool = False
    """Whether some method of the tier was trained on the prompt's words."""
    caveat: str = ""
    """A caveat for readers of its row."""

    def identity(self) -> dict[str, Any]:
        """JSON values of which the digest is computed."""
        return {
            "runner_version": RUNNER_VERSION,
            "tier": self.tier,
            "dataset": self.dataset,
            "method": self.method,
            "method_version": self.method_version,
            "weights": self.weights,
            "networks": dict(self.networks),
            "images": {name: value for name, value in asdict(self.images).items() if name != "pool" or value},
            "prompt_id": self.prompt_id,
            "prompt": asdict(self.prompt),
            "seed": self.seed,
            "strengths": list(self.strengths),
            "settings": dict(self.settings),
            "matched_to": None if self.matched_to is None else self.matched_to.digest,
            **({"variant": self.variant} if self.variant else {}),
            **({"device": self.device} if self.device != "cpu" else {}),
            **({"precision": self.precision} if self.precision != HIGHEST else {}),
        }

    def listing(self) -> dict[str, Any]:
        """What tables show about the cell; may change without a new edit."""
        matched = self.matched_to
        return {
            "title": self.title,
            "default_strength": self.default_strength,
            "control": self.control,
            "trained": self.trained,
            "caveat": self.caveat,
            "matched_method": None if matched is None else matched.method,
            "matched_title": None if matched is None else matched.title,
        }

    @property
    def digest(self) -> str:
        """The cell's name in the store."""
        return digest_of(self.identity())


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
        raise ValueError(f"it is no manifest of schema {SCHEMA}")
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
