"""Find synchronisations that occur at every step of an optimisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from torch.optim.optimizer import register_optimizer_step_post_hook

if TYPE_CHECKING:
    from textedit_bench.testing.pretend_cuda.device import PretendCuda
    from textedit_bench.testing.pretend_cuda.record import Seen

FEWEST = 3
"""Steps of one optimiser, so that what comes between two of them comes again."""


class Steps:
    """Counts of synchronisations at every step of every optimiser."""

    def __init__(self) -> None:
        self._seen: dict[int, list[Seen]] = {}
        self._kept: list[Any] = []  # so that no optimiser takes the number of one before it

    def add(self, optimizer: Any, seen: Seen) -> None:
        """Record the end of a step."""
        self._kept.append(optimizer)
        self._seen.setdefault(id(optimizer), []).append(Counter(seen))

    def waits(self) -> Seen:
        """Return synchronisations between all pairs of consecutive steps, (kind, line) -> minimum count."""
        found: Seen = Counter()
        for states in self._seen.values():
            if len(states) >= FEWEST:
                between = [after - before for before, after in pairwise(states)]
                common = set.intersection(*(set(one) for one in between))
                found |= Counter({key: min(one[key] for one in between) for key in common})
        return found


@contextmanager
def watched_steps(cuda: PretendCuda) -> Iterator[Steps]:
    """Watch the steps of all optimisers of torch in the block."""
    steps = Steps()
    hook = register_optimizer_step_post_hook(lambda optimizer, *_: steps.add(optimizer, cuda.syncs))
    try:
        yield steps
    finally:
        hook.remove()
