"""Values of one metric for a batch of images, each with a state that says whether it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

OK = "ok"
NO_FACE_SOURCE = "no face in source"
NO_FACE_EDIT = "no face in edit"
NO_CHANGE = "no change"
NO_TEXT_CHANGE = "no text change"
IDENTICAL = "identical"
HIDDEN = "attribute hidden"
ALREADY_SO = "already so"
NO_TRUTH = "no ground truth"
NOTHING_ELSE = "nothing else visible"
ABSTAINED = "oracles abstain"
NOT_IN_PIXELS = "not readable from pixels"
EMPTY_MASK = "empty mask"
NO_REGION = "no edited region known"
NO_THRESHOLD = "no threshold known"
NOT_FINITE = "nan"

STATES = (
    OK,
    NO_FACE_SOURCE,
    NO_FACE_EDIT,
    NO_CHANGE,
    NO_TEXT_CHANGE,
    IDENTICAL,
    HIDDEN,
    ALREADY_SO,
    NO_TRUTH,
    NOTHING_ELSE,
    ABSTAINED,
    NOT_IN_PIXELS,
    EMPTY_MASK,
    NO_REGION,
    NO_THRESHOLD,
    NOT_FINITE,
)
"""The closed set of states. Only ``ok`` enters a mean; every other state is counted and shown."""


@dataclass(frozen=True)
class Column:
    """Values of one metric over N images.

    Attributes:
        values: float64 [N]; nan exactly where the state is not ``ok``.
        states: N entries of `STATES`.
    """

    values: NDArray[np.float64]
    states: list[str]

    @classmethod
    def joined(cls, parts: Sequence[Column]) -> Column:
        """Concatenate columns of consecutive images."""
        return cls(np.concatenate([part.values for part in parts]), [state for part in parts for state in part.states])

    @classmethod
    def of(cls, values: ArrayLike | Tensor, states: Sequence[str] | None = None) -> Column:
        """Create a column in which a value counts if and only if its state is ``ok`` and it is finite."""
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        numbers = np.array(values, dtype=np.float64)
        named = [OK] * len(numbers) if states is None else list(states)
        if len(named) != len(numbers):
            raise ValueError(f"{len(numbers)} values but {len(named)} states")
        for state in set(named).difference(STATES):
            raise ValueError(f"unknown state {state!r}; valid: {', '.join(STATES)}")
        finite = np.isfinite(numbers).tolist()
        named = [NOT_FINITE if state == OK and not known else state for state, known in zip(named, finite, strict=True)]
        numbers[[state != OK for state in named]] = np.nan
        return cls(numbers, named)

    @classmethod
    def without_value(cls, n: int, state: str) -> Column:
        """Create a column of N images that all lack a value for the same reason."""
        return cls.of([float("nan")] * n, [state] * n)

    def where(self, bad: Sequence[bool], state: str) -> Column:
        """Return the column with ``state`` wherever ``bad`` is True."""
        if not any(bad) and len(bad) == len(self):
            return self
        return Column.of(self.values, [state if b else s for b, s in zip(bad, self.states, strict=True)])

    def __len__(self) -> int:
        return len(self.states)
