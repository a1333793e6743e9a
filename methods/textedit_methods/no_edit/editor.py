"""The control that does nothing."""

from __future__ import annotations

from textedit_bench.editor import Editor, Latents
from textedit_bench.prompt import Prompt
from textedit_methods.no_edit.card import CARD


class NoEdit(Editor):
    """Returns the codes it is given, so its pictures are the inversions."""

    info = CARD

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """The given `latents`, whatever the prompt and the strength."""
        return latents
