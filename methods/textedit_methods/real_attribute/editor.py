"""The upper anchor: the same subject, really with the asked attribute, never through generator or encoder."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.real_attribute.card import CARD


class RealAttribute(Editor):
    """Shows pictures that have the asked attribute; what they score is the top of every effect scale.

    Setting ``pictures``: image id -> picture [3, H, W] in [-1, 1].
    """

    info = CARD

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """The given pictures [B, 3, H, W], whatever the strength.

        Raises:
            UserError: there is none for an image.
        """
        shown = self.settings["pictures"] or {}
        if latents.ids is None or any(i not in shown for i in latents.ids):
            raise UserError("setting pictures of real-attribute: lacks a picture of every image")
        return torch.stack([shown[i] for i in latents.ids])
