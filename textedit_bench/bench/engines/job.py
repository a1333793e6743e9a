"""Define what run and workers exchange: jobs, their results, and the pool between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.outcome import CellOutcome
from textedit_bench.bench.plan import DatasetPlan, MethodPlan
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.errors import NotApplicableError, UserError


@dataclass(frozen=True)
class CellJob:
    """One cell of a plan, by names.

    Attributes:
        dataset: name of the data set.
        method: name of the method; its share of a GPU decides where it may run.
        prompt: id of the prompt.
        label: what a person calls it.
        variant: of the method, see `MethodPlan.variant`.
        like: name of the method that a control is matched to; empty for all others.
        matched: the finished cell that a matched control copies.
        part: the only shard to compute; None computes what is missing and puts the cell together.
    """

    dataset: str
    method: str
    prompt: str
    label: str
    variant: str = ""
    like: str = ""
    matched: Cell | None = None
    part: int | None = None


@dataclass(frozen=True)
class DatasetJob:
    """Photos, inversions and reference features of a data set, by name: what has to be there before its cells."""

    dataset: str

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.dataset


Job = CellJob | DatasetJob


@dataclass(frozen=True)
class CellResult:
    """How a cell ended.

    Attributes:
        outcome: for the summary.
        cell: where its scores are stored; None if there are none.
        refused: the user's mistake, where only the method could see it.
        full: nothing more can be written.
    """

    outcome: CellOutcome
    cell: Cell | None = None
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class DatasetEnd:
    """What is known of a data set once it is prepared.

    Attributes:
        protocols: metric name -> protocol, as scored now.
        seconds: estimate of the work left, beside the methods' own.
        shards: into how many parts each of its cells may be cut.
        error: why it could not be prepared.
        refused: whether that is the user's mistake.
        full: nothing more can be written.
    """

    protocols: Mapping[str, Mapping[str, Any]]
    seconds: float = 0.0
    shards: int = 1
    error: str = ""
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class WorkerLost:
    """Whoever computed the job is gone; nothing is known of it but what the store holds."""

    reason: str


End = CellResult | DatasetEnd | WorkerLost


class Pool(Protocol):
    """Computes jobs, at most ``slots`` at a time."""

    @property
    def slots(self) -> int:
        """How many jobs may be under way now; may change while a cluster grows."""
        ...

    def submit(self, number: int, job: Job) -> None:
        """Start a job; called only while fewer than ``slots`` are under way."""
        ...

    def wait(self) -> list[tuple[int, End]]:
        """Block until some jobs ended, and say how."""
        ...

    def close(self) -> None:
        """Let go of everything; jobs under way are given up."""
        ...


def cell_jobs(plan: DatasetPlan) -> list[CellJob]:
    """Every cell of a data set in running order."""
    return [
        CellJob(
            plan.card.name,
            method.info.name,
            prompt.id,
            plan.label(method, prompt, matched_method),
            method.variant,
            matched_method.info.name if matched_method is not None else "",
        )
        for method, matched_method in plan.rows
        for prompt in plan.prompts
    ]


Source = tuple[str, str]
"""Method and prompt id of a cell that another one copies."""


def source_of(
    plan: DatasetPlan, method: MethodPlan, prompt: PlannedPrompt, matched_method: MethodPlan | None
) -> Source | None:
    """Which cell has to be finished first; None for a cell that copies nothing.

    Raises:
        NotApplicableError: there can be no such cell.
    """
    if matched_method is None:
        return None
    source = plan.source_prompt(method, prompt)
    if source is None:
        raise NotApplicableError("no other prompt of the bench asks for something else")
    return matched_method.info.name, source.id
