"""Define a cell: one method on one data set for one prompt and one seed, identified by a digest of its inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textedit_bench.controls.cards import copied
from textedit_bench.precision import HIGHEST
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
    """One of `textedit_bench.precision`."""
    variant: str = ""
    """``tuned`` if the settings are not the published ones; such cells form a separate row."""
    matched_to: Cell | None = None
    """For a control that copies a measure of another cell: that cell."""
    title: str = ""
    default_strength: float = 1.0
    control: bool = False
    trained: bool = False
    """Whether some method of the tier was trained on the prompt's words."""
    in_loop: tuple[str, ...] = ()
    """Network roles the method was trained or optimised against."""
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
            "in_loop": list(self.in_loop),
            "caveat": self.caveat,
            "matched_method": None if matched is None else matched.method,
            "matched_title": None if matched is None else matched.title,
        }

    @property
    def digest(self) -> str:
        """The cell's name in the store."""
        return digest_of(self.identity())

    @property
    def label(self) -> str:
        """``method / data set / prompt``, for messages."""
        like = f" ({copied(self.method)} of {self.matched_to.method})" if self.matched_to is not None else ""
        variant = f" ({self.variant})" if self.variant else ""
        return f"{self.method}{variant}{like} / {self.dataset} / {self.prompt_id}"
