"""The control that edits well, but not what was asked: judges must react to the text, not to traces of editing."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.wrong_prompt.card import CARD


class WrongPrompt(Editor):
    """Shows again what a method made of the same photos for another prompt.

    Setting ``pictures``: strength -> image id -> picture [3, H, W] in [-1, 1].
    """

    info = CARD

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """The stored pictures [B, 3, H, W] of this strength.

        Raises:
            UserError: there is none for the strength or for an image.
        """
        shown = (self.settings["pictures"] or {}).get(strength)
        if shown is None or latents.ids is None or any(i not in shown for i in latents.ids):
            raise UserError(f"setting pictures of wrong-prompt: lacks pictures of strength {strength:g}")
        return torch.stack([shown[i] for i in latents.ids])
