"""Controls that change nothing: the photo, and its inversion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.controls.cards import COPY_PHOTO, NO_EDIT
from textedit_bench.controls.control import Control
from textedit_bench.controls.expectations import unchanged
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.report.control_checks import Finding, RowScores


class CopyPhoto(Control):
    """Returns the photos: best on every measure of preservation, without any effect."""

    info = COPY_PHOTO

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the photos [B, 3, H, W] in [-1, 1], for any prompt and strength.

        Raises:
            UserError: the codes come without photos.
        """
        if latents.images is None:
            raise UserError("copy-photo needs the photos; the given codes have none")
        return latents.images

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no loss, including the photos' distribution."""
        yield from unchanged(scores, "", "_photo")
        if (distance := scores.distance_to_photos()) is not None:
            yield "fid_source = 0", f"{distance:.3g}", distance <= 1e-3


class NoEdit(Control):
    """Returns the given codes, so its pictures are the inversions."""

    info = NO_EDIT

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Return the given `latents`, for any prompt and strength."""
        return latents

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no difference from the inversion."""
        return unchanged(scores, "_inversion", "")
