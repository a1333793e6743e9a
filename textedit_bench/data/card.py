"""Data set cards: everything a tier needs to know about one data set, as validated data.

A card is a YAML file. `read_card` turns it into a `DatasetCard` or raises a `UserError` that names the field and the
line. Nothing here imports torch.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from textedit_bench.documents import read_document
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.prompt import ATTRIBUTE, Prompt, added, describes_picture, says_nothing, tidy

TIERS = ("mini", "full")
Split = Literal["train", "development", "evaluation"]
CropKind = Literal["none", "square", "wide", "wide-published"]
ROLES = (
    "generator",
    "discriminator",
    "encoder",
    "clip",
    "judge_clip",
    "identity",
    "parser",
    "judge_identity",
    "perceptual",
    "features",
    "oracle",
    "second_oracle",
)


OPTIONAL = ("parser",)
"""Roles without whose files a tier works: a term of a training or a setting that needs one says so."""
JUDGES = ("judge_clip", "judge_identity", "perceptual", "features")
"""Roles that score edits, for any source of photos."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(f"{text!r} is blank; expected a text")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Count = Annotated[int, Field(gt=0, strict=True)]
"""Strict: YAML's ``true`` is not 1."""
Position = Annotated[int, Field(ge=0, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PromptCard(_Strict):
    """One prompt of a card, with its ground truth."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    target: Text
    source: Text | None = None
    phrase: Text | None = None
    group: Text | None = None
    attribute: Annotated[str, Field(pattern=ATTRIBUTE)] | None = None
    split: Literal["evaluation", "development", "train"] = "evaluation"
    trained: bool = False
    """Whether the phrase is in the training list of any method of this tier."""
    used_by: tuple[Text, ...] = ()

    def prompt(self) -> Prompt:
        """The prompt in the form given to methods."""
        return Prompt(self.target, self.source, self.phrase, self.group, self.attribute)


class SourceCard(_Strict):
    """The source of a tier's photos."""

    kind: Literal["folder", "zip", "lmdb", "latents", "samples"]
    """``folder``: a tree of picture files; ``zip``: one archive of them (stylegan2-ada); ``lmdb``: as LSUN ships it;
    ``latents``: codes inverted elsewhere, whose pictures are synthesised; ``samples``: codes drawn from the generator.
    """
    path: Text | None = None
    """Absolute, below the home folder (``~``), relative to the card, or in the data folder; empty for samples."""
    asset: Text | None = None
    """Id of the asset with the images, for the message if they are missing."""
    crop: CropKind = "square"
    """How a photo is cropped to the generator's square canvas; see `textedit_bench.data.crop`."""
    min_side: Count = 1
    """Photos whose shorter side has fewer pixels are skipped."""
    captions: Text | None = None
    """Folder of texts about the photos, found like ``path``: for every photo of the train split a file of its name
    with the ending ``.txt``, one caption per line, as in Multi-Modal CelebA-HQ. Pictures of codes and samples are named
    by their number: ``train-00000.txt``."""
    first: dict[Split, Position] = {}
    """Position of each split's first entry in the source; where not given, evaluation, development and train follow one
    another, so that what is compared needs no walk through all the training images."""
    truncation: float = Field(default=0.7, ge=0, le=1)
    """Truncation of samples; published edits of samples use 0.7."""
    seed: Annotated[int, Field(strict=True)] = 0
    """Seed of samples."""

    @model_validator(mode="after")
    def _what_belongs_together(self) -> SourceCard:
        if (self.path is None) != (self.kind == "samples"):
            raise ValueError(f"a source of kind {self.kind!r} needs {'no path' if self.path else 'a path'}")
        given = self.model_fields_set
        for name in ("truncation", "seed"):
            if name in given and self.kind != "samples":
                raise ValueError(f"{name} belongs to a source of kind 'samples', not {self.kind!r}")
        for name in ("crop", "min_side"):
            if name in given and self.kind in ("latents", "samples"):
                raise ValueError(f"{name} belongs to photos; a source of kind {self.kind!r} has none")
        if "first" in given and self.kind == "samples":
            raise ValueError("first belongs to a source with entries; samples have no positions")
        return self


class TierCard(_Strict):
    """One tier of a data set."""

    resolution: Count
    height: Count | None = None
    """Rows of picture, centred, if the square canvas has bars (car: 384 of 512)."""
    world: Text | None = None
    """Procedural world that renders the photos and knows the ground truth, as ``"module:Class"``."""
    source: SourceCard | None = None
    """Source of real photos, for a tier without a world."""
    networks: dict[str, Text] = Field(min_length=1)
    """Role -> file relative to the card (``weights/ffhq/generator.safetensors``) or asset id (see: assets list)."""
    inverter: Text | None = None
    """What finds the codes of photos: a registered name; ``encoder`` where there is such a network, else
    ``projection``."""
    inversion: dict[str, Any] = {}
    """Settings of the inverter."""
    splits: dict[Split, Count] = Field(min_length=1)
    """Images per split."""
    images: Count = 24
    """Photos of a standard bench. Set metrics in 2,048 dimensions are unreliable for fewer than 1,000."""
    prompts: tuple[PromptCard, ...] = ()

    @field_validator("networks")
    @classmethod
    def _known_roles(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(ROLES))
        if unknown:
            raise ValueError(f"unknown role {unknown[0]!r}; valid: {', '.join(ROLES)}")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> TierCard:
        if self.source is None:
            return self
        if self.world is not None:
            raise ValueError("photos come from a world or from a source, not both")
        if self.source.crop.startswith("wide") and self.height is None:
            raise ValueError(f"crop {self.source.crop!r} needs a height")
        if self.source.crop == "square" and self.height not in (None, self.resolution) and self.has_photos:
            raise ValueError(f"crop 'square' fills the canvas, but height is {self.height}; valid: none, wide")
        return self

    @model_validator(mode="after")
    def _regions_apart(self) -> TierCard:
        for name in self.source.first if self.source else ():
            if name not in self.splits:
                raise ValueError(f"first: {name!r} is not among the splits; valid: {', '.join(self.splits)}")
        for (start, name), (later, other) in pairwise(sorted((at, name) for name, at in self._starts().items())):
            if start + self.splits[name] > later:
                raise ValueError(
                    f"first: {other} starts at {later}, but {name} takes the positions {start} to "
                    f"{start + self.splits[name] - 1}; splits must not overlap"
                )
        return self

    @model_validator(mode="after")
    def _unique_prompts(self) -> TierCard:
        ids = [p.id for p in self.prompts]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"prompt id {twice[0]!r} appears twice")
        return self

    def region(self, split: Split) -> tuple[int, int | None]:
        """Return the positions of a split's entries in the source: first, and one past the last (None: the end)."""
        starts = self._starts()
        later = [start for start in starts.values() if start > starts[split]]
        return starts[split], min(later, default=None)

    def _starts(self) -> dict[Split, int]:
        """Position of each split's first entry in the source."""
        given = self.source.first if self.source else {}
        starts: dict[Split, int] = {}
        position = 0
        order: tuple[Split, ...] = ("evaluation", "development", "train")
        for name in order:
            if name in self.splits:
                starts[name] = given.get(name, position)
                position = starts[name] + self.splits[name]
        return starts

    @property
    def has_photos(self) -> bool:
        """Whether the photos are real and have to be inverted."""
        return self.source is not None and self.source.kind in ("folder", "zip", "lmdb")

    @property
    def inverter_name(self) -> str:
        """Registered name of the inverter."""
        return self.inverter or ("encoder" if "encoder" in self.networks else "projection")

    def lacks(self) -> str | None:
        """Name the first missing requirement for comparing methods, files aside; None if nothing is missing."""
        if not any(prompt.split == "evaluation" for prompt in self.prompts):
            return "evaluation prompts"
        if self.world is None and self.source is None:
            return "an image source"
        # A world knows the ground truth; detecting it in edits takes an oracle.
        truth = () if self.world is None else ("encoder", "oracle")
        absent = [role for role in ("generator", *JUDGES, *truth) if role not in self.networks]
        return f"a network for the role {absent[0]}" if absent else None


class DatasetCard(_Strict):
    """One data set with all its tiers."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: Text
    aliases: tuple[Text, ...] = ()
    kind: Literal["face", "animal", "scene", "object"]
    neutral: Text
    """Neutral text: the source of a bare prompt, such as ``"a face"``."""
    licence: str = ""
    citation: str = ""
    tiers: dict[Literal["mini", "full"], TierCard] = Field(min_length=1)
    path: Path | None = Field(default=None, exclude=True)
    """Path of the card's file; files of a tier are relative to it."""

    @model_validator(mode="after")
    def _prompts_ask(self) -> DatasetCard:
        for tier in self.tiers.values():
            for prompt in tier.prompts:
                if says_nothing(prompt.target, self.neutral):
                    raise ValueError(f"prompt {prompt.id!r} asks for nothing: its target is the neutral text")
        return self

    def tier(self, name: str) -> TierCard:
        """Return one tier, or raise a `UserError` that names the existing tiers."""
        for known, card in self.tiers.items():
            if known == name:
                return card
        raise unknown_choice(f"tier of data set {self.name}", name, self.tiers)

    def with_source(self, text: str) -> DatasetCard:
        """Return the data set with photos from another source at every tier, without the ground truth of its world.

        If there are fewer photos than on the card, new splits are made (`textedit_bench.data.own_photos`).

        Args:
            text: ``samples``, or the path of a folder, zip, LMDB or file of codes.

        Raises:
            UserError: nothing exists at that path, or there is no picture.
        """
        from textedit_bench.data.own_photos import choose_source, count_entries, fit_splits

        most = max(sum(tier.splits.values()) for tier in self.tiers.values())
        there: int | None = None
        tiers = {}
        for name, tier in self.tiers.items():
            source = choose_source(text, tier)
            there = count_entries(source, most) if there is None else there
            fitted = {"world": None, "source": source, "splits": fit_splits(tier.splits, there)}
            tiers[name] = tier.model_copy(update=fitted)
        return self.model_copy(update={"tiers": tiers})

    def bare_prompt(self, text: str) -> Prompt:
        """Make a prompt of a text that is not on the card, with the neutral text as its source.

        A text that describes the whole picture ("a face with red hair") is the target; any other is appended to the
        neutral text.

        Raises:
            UserError: no word, too many characters, an unprintable one, or no more than the neutral text.
        """
        text = tidy(text)
        if says_nothing(text, self.neutral):
            raise UserError(
                f"prompts: {text!r} says no more than the neutral text of {self.name}, {self.neutral!r}, and asks for "
                f"no edit; valid: what the picture is to show besides"
            )
        whole = describes_picture(text, self.neutral)
        return Prompt(target=text if whole else added(text, self.neutral), source=self.neutral, phrase=text)


def read_card(path: str | Path) -> DatasetCard:
    """Read and check a card.

    Raises:
        UserError: the file is missing, is not YAML, or a field is wrong; the message names field and line.
    """
    path = Path(path)
    return read_document(path, DatasetCard, "card", path=path)
