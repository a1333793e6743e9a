"""Pair every prompt with the one whose edits the wrong-prompt control shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textedit_bench.bench.prompts import PlannedPrompt


def other_prompts(prompts: Sequence[PlannedPrompt]) -> dict[str, PlannedPrompt]:
    """Return prompt id -> the prompt whose edits are shown for it.

    A cyclic shift among the trained and among the unseen prompts: every prompt's edits are then shown exactly once, so
    the control preserves exactly as well as its method. Of all shifts the one with the fewest pairs that ask for the
    same attribute is taken, and such pairs are left out.
    """
    found = {}
    for trained in (True, False):
        block = [prompt for prompt in prompts if prompt.trained is trained]
        n = len(block)
        pairs = [[(p, block[(i + shift) % n]) for i, p in enumerate(block)] for shift in range(1, n)]
        best = max(pairs, key=lambda shifted: sum(_differ(*pair) for pair in shifted), default=[])
        found.update({prompt.id: other for prompt, other in best if _differ(prompt, other)})
    return found


def _differ(first: PlannedPrompt, second: PlannedPrompt) -> bool:
    """Whether two prompts request different edits, as far as known."""
    asked = first.prompt.asked.keys(), second.prompt.asked.keys()
    return first.prompt.words != second.prompt.words and not asked[0] & asked[1]
