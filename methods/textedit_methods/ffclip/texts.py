"""Text embeddings as FFCLIP reads them: raw, one by one, remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel


class TextEmbeddings:
    """Un-normalised CLIP embeddings of bare phrases: no template, no averaging.

    Every text is encoded alone, so that its embedding does not depend on its company.
    """

    def __init__(self, clip: ClipModel) -> None:
        self._clip = clip
        self._known: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [T, d] float32 on the CLIP's device."""
        for text in texts:
            if text not in self._known:
                self._known[text] = self._clip.encode_text([text])[0].float()
        return torch.stack([self._known[text] for text in texts])
