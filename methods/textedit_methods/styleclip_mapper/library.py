"""Where the mapper of a phrase lies: committed beside the method, or trained on demand, in the user's data folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textedit_bench.assets.locate import fetched
from textedit_bench.places import trained_folder
from textedit_bench.weights import weights_folder
from textedit_methods.styleclip_mapper.card import CARD, RELEASED_NAMES, RELEASED_PREFIX

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_SUFFIXES = (".safetensors", ".pt")
"""Ours, and released files that a user put there."""


def normalised(phrase: str) -> str:
    """A phrase as CLIP's tokeniser reads it: lower case, single spaces."""
    return " ".join(phrase.lower().split())


def stem(phrase: str) -> str:
    """File name of a phrase without its ending: its words joined by ``-``, and a digest where that loses anything."""
    text = normalised(phrase)
    slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80]
    if slug.replace("-", " ") == text:
        return slug
    return f"{slug or 'phrase'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def find(folder: Path, phrase: str) -> Path | None:
    """The phrase's file in a folder, None where there is none."""
    found = (folder / f"{stem(phrase)}{suffix}" for suffix in _SUFFIXES)
    return next((path for path in found if path.is_file()), None)


def committed_folder(domain: Domain) -> Path:
    """One file per phrase for a data set and tier."""
    return weights_folder("textedit_methods.styleclip_mapper", domain) / f"{domain.name}-{domain.tier}"


def released_files(domain: Domain) -> dict[str, Path]:
    """Asset id -> file of the authors' mappers that were fetched."""
    names = CARD.released.get(domain.tier, {}).get(domain.name, ())
    return {name: path for name in names if (path := fetched(name))}


def released_id(phrase: str) -> str:
    """Asset id of the authors' mapper of a phrase, whether there is one or not."""
    text = normalised(phrase)
    return f"{RELEASED_PREFIX}{RELEASED_NAMES.get(text, stem(text))}"


def find_released(domain: Domain, phrase: str) -> Path | None:
    """The authors' mapper of a phrase where it was fetched."""
    return released_files(domain).get(released_id(phrase))


def cache_folder(domain: Domain, identity: Mapping[str, Any]) -> Path:
    """Like `committed_folder`, in the user's data folder; another one for every ``identity``."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return trained_folder() / "styleclip-mapper" / f"{domain.name}-{domain.tier}-{digest}"
