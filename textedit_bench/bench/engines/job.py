"""Define what the scheduler and workers exchange: jobs, their results, and the pool that runs them."""

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
        method: name of the method; its GPU fraction determines where the job may run.
        prompt: id of the prompt.
        label: readable name of the cell.
        variant: of the method, see `MethodPlan.variant`.
        like: name of the method that a control is matched to; empty for all others.
        matched: the finished cell that a matched control copies.
        part: the only shard to compute; None computes all missing shards and merges them.
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
    """Photos, inversions and reference features of a data set, which its cells need."""

    dataset: str

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.dataset


Job = CellJob | DatasetJob


@dataclass(frozen=True)
class CellResult:
    """The result of a cell.

    Attributes:
        outcome: for the summary.
        cell: where its scores are stored; None if there are none.
        refused: the error is bad input that only the method could detect.
        full: the disk is full.
    """

    outcome: CellOutcome
    cell: Cell | None = None
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class DatasetEnd:
    """The result of preparing a data set.

    Attributes:
        protocols: metric name -> protocol, as scored now.
        seconds: estimate of the remaining work, without that of the methods.
        shards: number of parts into which each of its cells may be split.
        error: why it could not be prepared.
        refused: whether the error is bad input.
        full: the disk is full.
    """

    protocols: Mapping[str, Mapping[str, Any]]
    seconds: float = 0.0
    shards: int = 1
    error: str = ""
    refused: UserError | None = None
    full: bool = False


@dataclass(frozen=True)
class WorkerLost:
    """The worker of the job was lost; only the store knows its results."""

    reason: str


End = CellResult | DatasetEnd | WorkerLost


class Pool(Protocol):
    """Runs jobs, at most ``slots`` at a time."""

    @property
    def slots(self) -> int:
        """Number of jobs that may run now; may change while a cluster grows."""
        ...

    def submit(self, number: int, job: Job) -> None:
        """Start a job; called only while fewer than ``slots`` jobs are running."""
        ...

    def wait(self) -> list[tuple[int, End]]:
        """Block until at least one job has ended, and return the results."""
        ...

    def close(self) -> None:
        """Release all resources; running jobs are abandoned."""
        ...


def cell_jobs(plan: DatasetPlan) -> list[CellJob]:
    """List every cell of a data set in running order."""
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
    """Return the cell that has to be finished first; None if the cell copies nothing.

    Raises:
        NotApplicableError: such a cell cannot exist.
    """
    if matched_method is None:
        return None
    source = plan.source_prompt(method, prompt)
    if source is None:
        raise NotApplicableError("no other prompt of the same set (trained or unseen) asks for another attribute")
    return matched_method.info.name, source.id
