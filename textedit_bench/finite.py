"""Stop a training at the first loss that is not finite, without a device synchronisation per step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from textedit_bench.errors import WorkError

_NONE = torch.iinfo(torch.int64).max
_MOST = 1024
"""Maximum number of terms that can be identified."""


class DivergedError(WorkError):
    """A loss or a weight became nan or infinite; the message names it and the step."""


class FiniteWatch:
    """Records the first term that is not finite, on the device, and reports it as soon as it is known.

    On the CPU that is at once. From a GPU the result is copied asynchronously, so that it may be some steps
    later; `check` waits for it.

    Args:
        what: what the terms are of, for the message, such as "training" or "optimisation".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._names: list[str] = []
        self._numbers: dict[tuple[str, ...], Tensor] = {}
        self._first: Tensor | None = None
        self._copy: Tensor | None = None

    def note(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Check the terms of a step.

        Args:
            step: counted from 1.
            terms: name -> scalars or values per image, those that others are made of first.

        Raises:
            DivergedError: one of these, or on an accelerator one of an earlier step, is not finite.
        """
        finite = torch.stack([value.detach().isfinite().all() for value in terms.values()])
        here = torch.where(finite, _NONE, self._codes(tuple(terms), finite.device) + step * _MOST).min()
        same = self._first is not None and self._first.device == here.device
        self._first = torch.minimum(self._first, here) if same and self._first is not None else here
        if here.device.type == "cpu":
            self.check()
            return
        if self._copy is None:
            self._copy = torch.full((), _NONE).pin_memory()
        self._judge(int(self._copy))  # of an earlier step, however far the copies are
        self._copy.copy_(self._first, non_blocking=True)

    def check(self) -> None:
        """Wait for all pending checks.

        Raises:
            DivergedError: a term was not finite.
        """
        if self._first is not None:
            self._judge(int(self._first))

    def _codes(self, names: tuple[str, ...], device: torch.device) -> Tensor:
        if names not in self._numbers:
            self._names += [name for name in names if name not in self._names]
            numbers = torch.tensor([self._names.index(name) for name in names])
            there = numbers if device.type == "cpu" else numbers.pin_memory().to(device, non_blocking=True)
            self._numbers[names] = there
        return self._numbers[names]

    def _judge(self, first: int) -> None:
        if first != _NONE:
            step, name = divmod(first, _MOST)
            raise DivergedError(f"{self._what} stopped at step {step}: {self._names[name]} is not finite")
