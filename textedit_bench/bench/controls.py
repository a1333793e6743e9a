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
from textedit_bench.bench.copied import MATCHES, OTHER_PROMPT
from textedit_bench.bench.infer import step_lengths
from textedit_bench.bench.inputs import INVERSION, PHOTO, InputShard
from textedit_bench.bench.kept import CellPictures, PicturesGoneError, read_manifest
from textedit_bench.bench.pictures import to_images
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.store import ResultFolder
from textedit_bench.errors import NotApplicableError

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.perfect import PerfectEdits

SHOWS, TRUTH = "shows", "truth"


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


def fill_matched(kind: str, cell: Cell, source: ResultFolder, shard: InputShard, domain: Domain) -> dict[str, Any]:
    """Settings of a control that copies something of another cell, for some images.

    Args:
        kind: ``step`` or ``other prompt``.
        cell: the control's.
        source: folder of the cell it is matched to.
        shard: the images, as both start from them.
        domain: for the layout of codes, and for pictures that have to be made again.

    Raises:
        NotApplicableError: that cell has no such thing.
    """
    assert cell.matched_to is not None
    if kind == OTHER_PROMPT:
        manifest = read_manifest(source.path)
        assert manifest is not None
        try:
            stored = CellPictures(source.path, manifest, lambda: domain).read(shard.ids, cell.strengths)
        except PicturesGoneError as error:
            raise NotApplicableError(str(error)) from error
        shown = {s: to_images(pixels, domain.device) for s, pixels in zip(cell.strengths, stored, strict=True)}
        return {"pictures": {s: dict(zip(shard.ids, images, strict=True)) for s, images in shown.items()}}
    try:
        space, lengths = step_lengths(source, cell.matched_to, shard, domain)
    except FileNotFoundError as error:
        raise NotApplicableError(f"there are no edited codes of {cell.matched_to.method} to match") from error
    return {"lengths": lengths, "space": space}


@torch.no_grad()
def fill_truth(cell: Cell, shard: InputShard, domain: Domain, perfect: PerfectEdits) -> dict[str, Any]:
    """Settings of a control that shows pictures which really have the asked attribute, for some images.

    Args:
        cell: the control's.
        shard: the images and what the renderer drew for them.
        domain: whose world draws.
        perfect: the judges' own ground truth, which holds the pictures.

    Raises:
        NotApplicableError: nobody can draw them.
    """
    world, asked = domain.world, cell.prompt.asked
    if world is None or shard.factors is None:
        raise NotApplicableError(f"nobody can draw photos of {cell.dataset} with another attribute")
    if not asked:
        raise NotApplicableError(f"prompt {cell.prompt_id} names no attribute of the {world.name} world")
    truth = perfect(shard.factors, asked)
    assert truth is not None
    return {"pictures": dict(zip(shard.ids, truth.images.to(domain.device), strict=True))}


def pictures_lie_elsewhere(cell: Cell) -> dict[str, str] | None:
    """Where the pictures of a control lie already, as `Kept.copied` says it; None where they are its own."""
    if cell.matched_to is not None and cell.settings.get(MATCHES) == OTHER_PROMPT:
        return {"method": cell.matched_to.method, "cell": cell.matched_to.digest}
    if cell.control and cell.settings.get(SHOWS) in (PHOTO, INVERSION):
        return {"inputs": str(cell.settings[SHOWS])}
    return None
