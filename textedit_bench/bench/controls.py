"""What the runner fills into the settings of controls: measures and pictures that no editor can know by itself.

A control whose settings hold ``matches`` is run once per compared method: ``step`` copies the length of its steps,
``other prompt`` shows its edits for another prompt. One whose settings hold ``shows: truth`` gets the pictures that
really have what was asked, where a renderer can draw them; ``photo`` and ``inversion`` need nothing, and say what the
control must score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.copied import OTHER_PROMPT
from textedit_bench.bench.infer import PICTURES, step_lengths
from textedit_bench.bench.inputs import Inputs
from textedit_bench.bench.pictures import read_pictures, strength_name, to_images
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.store import ResultFolder

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.perfect import PerfectEdits

SHOWS, PHOTO, INVERSION, TRUTH = "shows", "photo", "inversion", "truth"


class NotApplicableError(Exception):
    """A cell that has no meaning here; the message is the reason."""


def other_prompts(prompts: Sequence[PlannedPrompt]) -> dict[str, PlannedPrompt]:
    """Prompt id -> the prompt whose edits the wrong-prompt control shows for it.

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
    """Whether two prompts ask for different things, as far as is known."""
    asked = first.prompt.asked.keys(), second.prompt.asked.keys()
    return first.prompt.words != second.prompt.words and not asked[0] & asked[1]


def fill_matched(kind: str, cell: Cell, source: ResultFolder, inputs: Inputs, domain: Domain) -> dict[str, Any]:
    """Settings of a control that copies something of another cell.

    Args:
        kind: ``step`` or ``other prompt``.
        cell: the control's.
        source: folder of the cell it is matched to.
        inputs: what both start from.
        domain: for the layout of codes.

    Raises:
        NotApplicableError: that cell has no such thing.
    """
    assert cell.matched_to is not None
    if kind == OTHER_PROMPT:
        names = {strength: strength_name(strength) for strength in cell.strengths}
        stored = read_pictures(source.file(PICTURES), inputs.ids, list(names.values()))
        shown = {strength: to_images(stored[name], domain.device) for strength, name in names.items()}
        return {"pictures": {s: dict(zip(inputs.ids, images, strict=True)) for s, images in shown.items()}}
    try:
        space, lengths = step_lengths(source, cell.matched_to, inputs, domain)
    except FileNotFoundError as error:
        raise NotApplicableError(f"there are no edited codes of {cell.matched_to.method} to match") from error
    return {"lengths": lengths, "space": space}


@torch.no_grad()
def fill_truth(cell: Cell, inputs: Inputs, domain: Domain, perfect: PerfectEdits) -> dict[str, Any]:
    """Settings of a control that shows pictures which really have the asked attribute.

    Args:
        cell: the control's.
        inputs: the photos and what the renderer drew for them.
        domain: whose world draws.
        perfect: the judges' own ground truth, which holds the pictures.

    Raises:
        NotApplicableError: nobody can draw them.
    """
    world, asked = domain.world, cell.prompt.asked
    if world is None or inputs.factors is None:
        raise NotApplicableError(f"nobody can draw photos of {cell.dataset} with another attribute")
    if not asked:
        raise NotApplicableError(f"prompt {cell.prompt_id} names no attribute of the {world.name} world")
    truth = perfect(inputs.factors, asked)
    assert truth is not None
    return {"pictures": dict(zip(inputs.ids, truth.images.to(domain.device), strict=True))}
