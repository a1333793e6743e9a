"""An experiment file: what is run, how it is measured, and published values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from textedit_bench.data.card import PromptCard
from textedit_bench.documents import FieldError
from textedit_bench.experiments.published import Line, Number, Published, Strict, Text, Whole
from textedit_bench.ranges import MACHINE

TierName = Literal["mini", "full"]


class Margin(Strict):
    """The largest difference of a metric that counts as equivalent, with the reason."""

    margin: Number = Field(gt=0)
    reason: Text


class Variant(Strict):
    """One training configuration of a method."""

    name: Text
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the training; the text ``network:<role>`` stands for the data set's file of that role."""
    seed: Whole = Field(default=0, ge=0, lt=MACHINE)
    tiers: tuple[TierName, ...] = ("mini", "full")
    """Where it exists; a backbone may belong to one tier alone."""


class Schedule(Strict):
    """Duration of a tier's variant trainings; stated on the table."""

    settings: dict[str, Any] = Field(default_factory=dict)
    minutes: Number = Field(default=0.0, ge=0)
    """Stop after that long; 0 for never."""


class Scores(Strict):
    """Metrics of the bench at every method's default strength."""

    kind: Literal["scores"]
    metrics: tuple[str, ...] = Field(min_length=1)
    per: Literal["prompt set", "group", "prompt", "meanings"] = "prompt set"
    """What makes a setting: trained and unseen prompts, attribute groups, single prompts, or how many attributes one
    text asks for."""


class Latency(Strict):
    """Seconds for one edit of one image and for the training before, and peak memory."""

    kind: Literal["latency"]
    repeats: Whole = Field(default=5, ge=3)
    edit_setting: Line = "one image"
    fit: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Method -> (setting, metric) of its training or preparation, in hours."""


class Offsets(Strict):
    """Similarity of a method's latent steps across images: cosines of all pairs, per prompt."""

    kind: Literal["offsets"]
    settings: dict[str, str] = Field(default_factory=dict)
    """Prompt id or words -> the name under which its values were published."""


class Alignment(Strict):
    """Whether differences of pictures and texts align better than pictures and texts, measured on CLIP alone."""

    kind: Literal["alignment"]
    images: Whole = Field(default=500, ge=8)
    networks: tuple[Literal["clip", "judge_clip"], ...] = ("clip", "judge_clip")


class Generation(Strict):
    """Pictures generated from the text alone, in cells of the bench's generation task."""

    kind: Literal["generation"]
    images_per_prompt: Whole = Field(default=8, ge=3)
    per: Literal["prompt set"] = "prompt set"
    metrics: tuple[
        Literal["fid_real", "clip_score", "r_precision", "pair_distance", "same_subject", "success"], ...
    ] = Field(min_length=1)


class Audit(Strict):
    """Rank correlation of every metric with the ground truth over all edits."""

    kind: Literal["audit"]


class Variants(Strict):
    """A method trained with different settings and scored like any other."""

    kind: Literal["variants"]
    method: Text
    variants: tuple[Variant, ...] = Field(min_length=2)
    schedule: dict[TierName, Schedule] = Field(default_factory=dict)
    metrics: tuple[str, ...] = Field(min_length=1)
    spread: bool = False
    """Also a row with the mean over all variants and the interval between trainings."""

    @field_validator("variants")
    @classmethod
    def _unique(cls, value: tuple[Variant, ...]) -> tuple[Variant, ...]:
        names = [variant.name for variant in value]
        if len(set(names)) < len(names):
            raise ValueError(f"variant {next(n for n in names if names.count(n) > 1)!r} appears twice")
        return value


Measure = Annotated[Scores | Latency | Offsets | Alignment | Generation | Audit | Variants, Field(discriminator="kind")]


class Experiment(Strict):
    """One published table, or one study of our own."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    title: Text
    question: Text
    """What it answers, in one sentence."""
    citation: Text
    datasets: tuple[Text, ...] = Field(min_length=1)
    methods: tuple[Text, ...] = ()
    """Registry names; empty means every installed method that is not a control."""
    controls: bool = True
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Method -> settings instead of its card's; such a method is run separately."""
    prompts: dict[TierName, tuple[str, ...]] = Field(default_factory=dict)
    """Ids of the card's prompts or bare texts; the card's evaluation prompts where a tier is not named."""
    own_prompts: dict[str, tuple[PromptCard, ...]] = Field(default_factory=dict)
    """Data set -> prompts that its card does not have."""
    images: Whole = Field(default=24, ge=3)
    seed: Whole = Field(default=0, ge=0, lt=MACHINE)
    measure: tuple[Measure, ...] = Field(min_length=1)
    margins: dict[str, Margin] = Field(default_factory=dict)
    """Metric -> margin of its verdicts."""
    published: tuple[Published, ...] = ()
    notes: tuple[Text, ...] = ()
    """What a reader of the table has to know."""

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        for field in ("datasets", "methods"):
            names = getattr(self, field)
            for number, name in enumerate(names):
                if name in names[:number]:
                    raise FieldError((field, number), f"{name!r} appears twice")
        keys = [value.key for value in self.published]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise FieldError(("published", number), f"{' / '.join(part or '-' for part in key)} appears twice")
        for name in self.own_prompts:
            if name not in self.datasets:
                raise FieldError(("own_prompts", name), f"{name!r} is not among the datasets")
        for name in self.settings if self.methods else ():
            if name not in self.methods:
                raise FieldError(("settings", name), f"{name!r} is not among the methods")
        return self

    @property
    def needs_bench(self) -> bool:
        """Whether cells of the bench are measured."""
        return any(isinstance(part, Scores | Offsets | Audit) for part in self.measure)
