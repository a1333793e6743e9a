"""Data set cards: everything a tier needs to know about one data set, as validated data.

A card is a YAML file. `read_card` turns it into a `DatasetCard` or raises a `UserError` that names the field and the
line. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

TIERS = ("mini", "full")
ROLES = (
    "generator",
    "discriminator",
    "encoder",
    "clip",
    "judge_clip",
    "identity",
    "judge_identity",
    "perceptual",
    "features",
    "oracle",
    "second_oracle",
)


JUDGES = ("judge_clip", "judge_identity", "perceptual", "features")
"""Roles that score edits, whatever the photos come from."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PromptCard(_Strict):
    """One prompt of a card, with what is known about it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    target: str
    source: str | None = None
    phrase: str | None = None
    group: str | None = None
    attribute: str | None = None
    split: Literal["evaluation", "development", "train"] = "evaluation"
    trained: bool = False
    """Whether the phrase is in the training list of any method of this tier."""
    used_by: tuple[str, ...] = ()

    def prompt(self) -> Prompt:
        """The prompt as methods see it."""
        return Prompt(self.target, self.source, self.phrase, self.group, self.attribute)


class TierCard(_Strict):
    """What one tier of a data set is made of."""

    resolution: int = Field(gt=0)
    height: int | None = Field(default=None, gt=0)
    """Rows of real picture, centred, where the square canvas has borders (car: 384 of 512)."""
    world: str | None = None
    """Procedural world that renders the photos and knows the ground truth, as ``"module:Class"``."""
    networks: dict[str, str]
    """Role -> file beside the card (``weights/ffhq/generator.safetensors``) or asset id."""
    splits: dict[Literal["train", "development", "evaluation"], int]
    """Images per split."""
    prompts: tuple[PromptCard, ...] = ()

    @field_validator("networks")
    @classmethod
    def _known_roles(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(ROLES))
        if unknown:
            raise ValueError(f"unknown role {unknown[0]!r}; valid: {', '.join(ROLES)}")
        return value

    @model_validator(mode="after")
    def _unique_prompts(self) -> TierCard:
        ids = [p.id for p in self.prompts]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"prompt id {twice[0]!r} appears twice")
        return self

    def lacks(self) -> str | None:
        """The first thing without which no method can be compared here, files aside; None where nothing is missing."""
        if not any(prompt.split == "evaluation" for prompt in self.prompts):
            return "evaluation prompts"
        if self.world is None:
            return "an image source"
        # A world knows what is true; reading it off the edits takes an oracle.
        absent = [role for role in ("generator", "encoder", *JUDGES, "oracle") if role not in self.networks]
        return f"a network for the role {absent[0]}" if absent else None


class DatasetCard(_Strict):
    """One data set at every tier it exists in."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    aliases: tuple[str, ...] = ()
    kind: Literal["face", "animal", "scene", "object"]
    neutral: str
    """Neutral text: the source of a bare prompt, such as ``"a face"``."""
    licence: str = ""
    citation: str = ""
    tiers: dict[Literal["mini", "full"], TierCard]
    path: Path | None = Field(default=None, exclude=True)
    """Where the card was read from; files of a tier are relative to it."""

    def tier(self, name: str) -> TierCard:
        """One tier, or a `UserError` naming the tiers there are."""
        from textedit_bench.errors import unknown_choice

        for known, card in self.tiers.items():
            if known == name:
                return card
        raise unknown_choice(f"tier of data set {self.name}", name, self.tiers)

    def bare_prompt(self, text: str) -> Prompt:
        """A command-line text P as phrase P, source = neutral text, target = the neutral text with P."""
        return Prompt(target=f"{self.neutral} with {text}", source=self.neutral, phrase=text)


def read_card(path: str | Path) -> DatasetCard:
    """Read and check a card.

    Raises:
        UserError: the file is missing, is not YAML, or a field is wrong; the message names field and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"card {path}: cannot be read ({error})") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"card {path}:{line} not valid YAML ({problem})") from error
    if not isinstance(data, dict):
        raise UserError(f"card {path}: line 1: expected a mapping of fields, got {type(data).__name__}")
    try:
        return DatasetCard.model_validate({**data, "path": path})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = " ".join(f"field {field}: {first['msg'].removeprefix('Value error, ')}{more}".split())
        raise UserError(f"card {path}: line {_line(node, first['loc'])}: {message}") from error


def _line(node: Any, location: tuple[Hashable, ...]) -> int:
    """Line (from 1) of the deepest part of ``location`` that exists in the YAML tree."""
    line = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(part)]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
