"""Store and read tuned settings, in the folder of a method's results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.files import write_json

FILE = "tuned.json"
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The result of a tuning, with its inputs.

    Attributes:
        method, dataset, tier: where the settings apply.
        settings: the chosen settings, instead of the card's.
        strength: the chosen strength.
        objective: what was maximised, such as ``mean of success and preservation``.
        score: its value for the choice, on the development split.
        images: digest of the development images.
        prompts: ids of the development prompts.
        tried: every candidate with its strength, effect, kept and score.
    """

    method: str
    dataset: str
    tier: str
    settings: dict[str, Any]
    strength: float
    objective: str
    score: float
    images: str
    prompts: tuple[str, ...]
    tried: tuple[dict[str, Any], ...] = field(default=())


def write_tuned(store: Store, tuned: Tuned) -> Path:
    """Store tuned settings for `read_tuned`."""
    folder = store.method(tuned.tier, tuned.dataset, tuned.method)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / FILE, {"schema": SCHEMA, **asdict(tuned)})
    return folder / FILE


def read_tuned(store: Store, tier: str, dataset: str, method: str) -> Tuned:
    """Read the tuned settings of a method on a data set.

    Raises:
        UserError: there are none, or the file is damaged.
    """
    path = store.method(tier, dataset, method) / FILE
    command = f"textedit-bench tune --method {method} --dataset {dataset}"
    if not path.is_file():
        raise UserError(f"tuned: {method} was not tuned on {dataset}, tier {tier} (expected {path}); run: {command}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("schema") != SCHEMA:
            raise ValueError("it was written by another version")
        tuned = Tuned(**{**data, "prompts": tuple(data["prompts"]), "tried": tuple(data["tried"])})
        if not (isinstance(tuned.settings, dict) and math.isfinite(tuned.strength)):
            raise ValueError("settings or strength are invalid")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"tuned: {path} cannot be read ({error}); run: {command}") from error
    return tuned
