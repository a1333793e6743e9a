"""The two files of a study: the key, which knows what every picture is, and a participant's answers.

Answers come from strangers: every field is checked against the key, and nothing of them is ever run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from textedit_bench.bench.cell import digest_of
from textedit_bench.documents import StrictModel, read_json_document
from textedit_bench.errors import UserError

LARGEST = 16 << 20  # bytes; real answers have some thousands, a key some hundred thousands
Question = Literal["fits", "keeps"]
FITS: Question = "fits"
KEEPS: Question = "keeps"


class Trial(StrictModel):
    """A question about edits of one photo: whose they are, what metrics say of each, which is known to be right."""

    question: Question
    prompt: str
    image: str
    edits: list[str]
    values: dict[str, list[float | None]]
    right: int | None


class Key(StrictModel):
    """What the page does not say; of every metric the title, and whether higher is better."""

    tier: str
    dataset: str
    seed: int
    metrics: dict[str, tuple[str, bool]]
    trials: dict[str, Trial]
    forms: list[list[str]]

    @property
    def study(self) -> str:
        """The study's name, which answers hold too."""
        return digest_of(self.model_dump(mode="json"))

    @property
    def options(self) -> int:
        """Pictures of every trial."""
        return len(next(iter(self.trials.values())).edits)

    @model_validator(mode="after")
    def _fits_together(self) -> Key:
        trials = self.trials.values()
        sizes = {n for trial in trials for n in (len(trial.edits), *map(len, trial.values.values()))}
        known = all(trial.values.keys() <= self.metrics.keys() for trial in trials)
        if {name for form in self.forms for name in form} != self.trials.keys() or len(sizes) != 1 or not known:
            raise ValueError("its trials, forms and metrics do not fit together")
        return self


class Answer(StrictModel):
    """One choice: the trial, positions of its edits as they were shown, and the one that was chosen."""

    trial: str
    shown: list[int]
    chosen: int


class Answers(StrictModel):
    """What one participant's page saved."""

    format: Literal[1]
    study: str
    participant: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    answers: list[Answer]


def read_answers(paths: Sequence[Path], key: Key) -> list[Answers]:
    """Every participant's answers.

    Raises:
        UserError: a file cannot be read, is of another study, says what no page can have saved, or is a participant's
            second one.
    """
    found: dict[str, Answers] = {}
    for path in paths:
        given = read_json_document(path, Answers, "answers", LARGEST)
        if given.study != key.study:
            raise UserError(f"answers {path}: they are of study {given.study[:40]!r}, the key is of {key.study}")
        if given.participant in found:
            raise UserError(f"answers {path}: participant {given.participant} has another file too; give the later one")
        if not any(_possible(given.answers, key, form) for form in key.forms):
            raise UserError(f"answers {path}: no page of this study can have saved such trials and choices")
        found[given.participant] = given
    return list(found.values())


def _possible(answers: Sequence[Answer], key: Key, form: Sequence[str]) -> bool:
    """Whether all trials are of the form, none twice, and what was shown and chosen are their edits."""
    positions = list(range(key.options))
    right = all(a.trial in form and sorted(a.shown) == positions and a.chosen in positions for a in answers)
    return right and len({a.trial for a in answers}) == len(answers)
