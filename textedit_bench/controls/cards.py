"""The controls' cards, without torch, and the prompt whose edits the wrong-prompt control shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from textedit_bench.info import MethodInfo

if TYPE_CHECKING:
    from textedit_bench.bench.prompts import PlannedPrompt


@dataclass(frozen=True, kw_only=True)
class ControlInfo(MethodInfo):
    """A control's card.

    Attributes:
        shows: the picture that every strength shows: the ``photo``, its ``inversion``, or the ``truth``, which is the
            photo as it is with the asked attribute; empty if strengths differ.
        copies: what it copies of a method's cells: the length of the ``step``, or the ``edit`` for another prompt. Such
            a control is run once per compared method.
        recorded: entries of its cells' identity in addition to its settings. The names of stored cells depend on it.
    """

    paper: str = ""
    arxiv: str = ""
    trains: Literal["none", "per-prompt", "per-dataset"] = "none"
    control: bool = True
    shows: Literal["", "photo", "inversion", "truth"] = ""
    copies: Literal["", "step", "edit"] = ""
    recorded: Mapping[str, Any] = field(default_factory=dict)

    def identity_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of an edit as part of a cell's identity."""
        return {**self.recorded, **settings}


COPY_PHOTO = ControlInfo(
    name="copy-photo",
    title="Do nothing (photo)",
    editor="textedit_bench.controls.editors:CopyPhoto",
    space="image",
    strength_meaning="ignored: every strength returns the photo",
    shows="photo",
    recorded={"shows": "photo"},
)
NO_EDIT = ControlInfo(
    name="no-edit",
    title="No edit (inversion)",
    editor="textedit_bench.controls.editors:NoEdit",
    space="w+",
    strength_meaning="ignored: every strength returns the given codes",
    shows="inversion",
    recorded={"shows": "inversion"},
)
RANDOM_DIRECTION = ControlInfo(
    name="random-direction",
    title="Random direction",
    editor="textedit_bench.controls.editors:RandomDirection",
    space="w+",
    strength_meaning="factor on the step; 1 has the length of the compared method's step at its default strength",
    caveat={
        "mini": "about half of the energy of its step lies in directions that the mini generator ignores (the null "
        "space of w = (u, -u)), so at equal W+ length it moves the picture less than a step that avoids them."
    },
    settings={"seed": 0},
    copies="step",
    recorded={"matches": "step", "lengths": None, "space": "w+"},
)
REAL_ATTRIBUTE = ControlInfo(
    name="real-attribute",
    title="Really has it (rendered)",
    editor="textedit_bench.controls.editors:RealAttribute",
    space="image",
    strength_meaning="ignored: every strength shows the photo as it is with the asked attribute",
    shows="truth",
    recorded={"shows": "truth", "pictures": None},
)
WRONG_PROMPT = ControlInfo(
    name="wrong-prompt",
    title="Wrong prompt",
    editor="textedit_bench.controls.editors:WrongPrompt",
    space="image",
    strength_meaning="the compared method's edit for another prompt at the same strength, judged against this one",
    copies="edit",
    recorded={"matches": "other prompt", "pictures": None},
)
CONTROLS = {card.name: card for card in (COPY_PHOTO, NO_EDIT, RANDOM_DIRECTION, REAL_ATTRIBUTE, WRONG_PROMPT)}
"""Name -> card."""


def copied(name: str) -> str:
    """Return what cells of a control copy of other cells, ``step`` or ``edit``; empty for nothing."""
    return CONTROLS[name].copies if name in CONTROLS else ""


def shown(name: str) -> str:
    """Return what a control shows at every strength: ``photo``, ``inversion`` or ``truth``; empty for anything else."""
    return CONTROLS[name].shows if name in CONTROLS else ""


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
