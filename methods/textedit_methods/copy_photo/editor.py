"""The control that returns the photo: it wins every measure of preservation and changes nothing."""

from __future__ import annotations

from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.copy_photo.card import CARD


class CopyPhoto(Editor):
    """Returns the photos, so its scores are those of not even inverting."""

    info = CARD

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """The photos [B, 3, H, W] in [-1, 1], whatever the prompt and the strength.

        Raises:
            UserError: the codes come without photos.
        """
        if latents.images is None:
            raise UserError("copy-photo needs the photos; the given codes have none")
        return latents.images
