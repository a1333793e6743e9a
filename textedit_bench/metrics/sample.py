"""Define the input and the interface of scorers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from textedit_bench.metrics.column import Column, Protocol
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.truth import PerfectEdit
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.worlds.world import Factors


@dataclass(frozen=True)
class Sample:
    """One batch of edits with everything they are compared with; entry i of each field belongs to the same image."""

    photo: ImageBatch
    inversion: ImageBatch
    edit: ImageBatch
    prompt: Prompt
    factors: Factors | None
    perfect: PerfectEdit | None = None
    """The ground truth of this prompt on these photos; None if it is not known."""


class Scorer(Interface):
    """A family of per-image metrics that share their network passes."""

    @property
    def protocols(self) -> Mapping[str, Protocol]:
        """The metrics that it measures; empty if the domain lacks the network."""
        ...

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return one column per name in `protocols`."""
        ...
