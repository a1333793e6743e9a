"""Controls that show given pictures: edits for another prompt, and renders with the requested attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from textedit_bench.controls.cards import REAL_ATTRIBUTE, WRONG_PROMPT
from textedit_bench.controls.control import Control
from textedit_bench.controls.expectations import EXACT, no_effect
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.bench.material import CellMaterial
    from textedit_bench.report.control_checks import Finding, RowScores

SEEN = 0.9
"""Success that pictures with the attribute must reach, within their interval."""


class WrongPrompt(Control):
    """Shows a method's edits of the same photos for another prompt.

    It edits well, but not what was asked: judges must react to the text, not to traces of editing.
    """

    info = WRONG_PROMPT
    pictures: Mapping[float, Mapping[str, Tensor]] = {}
    """Strength -> image id -> picture [3, H, W] in [-1, 1]."""

    def make(self, material: CellMaterial) -> WrongPrompt:
        """Create the control with the edits of the copied cell."""
        made = copy(self)
        made.pictures = material.edits() if material.copies else {}
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the stored pictures [B, 3, H, W] of this strength.

        Raises:
            UserError: there is none for the strength or for an image.
        """
        return _shown(self, latents, self.pictures.get(strength, {}))

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no effect, and the distances of its method, since only the text of the metrics differs."""
        yield from no_effect(scores)
        for name in ("lpips", "identity"):
            own, theirs = scores.mean(name), scores.copied.mean(name) if scores.copied is not None else np.nan
            if np.isfinite(own) and np.isfinite(theirs):
                yield f"{name} as its method: {theirs:.5f}", f"{own:.5f}", abs(own - theirs) <= EXACT


class RealAttribute(Control):
    """Shows the same subject rendered with the requested attribute, without generator or encoder.

    What it scores is the top of every effect scale.
    """

    info = REAL_ATTRIBUTE
    pictures: Mapping[str, Tensor] = {}
    """Image id -> picture [3, H, W] in [-1, 1]."""

    def make(self, material: CellMaterial) -> RealAttribute:
        """Create the control with renders that have the requested attribute."""
        made = copy(self)
        made.pictures = material.truth()
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the given pictures [B, 3, H, W] at any strength.

        Raises:
            UserError: there is none for an image.
        """
        return _shown(self, latents, self.pictures)

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect full success."""
        if found := scores.interval("success"):
            yield f"success at least {SEEN:g}", f"{found[0]:.3g}, interval to {found[2]:.3g}", found[2] >= SEEN
        if found := scores.interval("clip_gain_photo"):
            yield "clip_gain_photo at least 0", f"{found[0]:.3g}, interval to {found[2]:.3g}", found[2] > 0.0


def _shown(control: Control, latents: Latents, pictures: Mapping[str, Tensor]) -> Tensor:
    if latents.ids is None or any(name not in pictures for name in latents.ids):
        raise UserError(f"{control.info.name} shows pictures that a bench has; there are none of these images")
    return torch.stack([pictures[name] for name in latents.ids])
