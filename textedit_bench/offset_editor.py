"""Editors that add something to codes: one offset serves every strength."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from textedit_bench.editor import Latents, Space
from textedit_bench.prompt import Prompt
from textedit_bench.typed_editor import SettingsT, TypedEditor


class OffsetEditor(TypedEditor[SettingsT], ABC):
    """Edited codes = codes + strength * offset, in W+ or in styles."""

    @abstractmethod
    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """What is added at strength 1 to the codes, of their shape or one that is broadcast to it.

        Args:
            latents: in the space that is edited; called without gradients.
            prompt: what is asked.
        """

    def start(self, latents: Latents) -> Latents:
        """What strength 0 returns: the given codes, where the method has no inversion of its own."""
        return latents

    def edited_space(self, prompt: Prompt) -> Space:
        """The space of the codes that are edited."""
        return "w+"

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Add ``strength`` times the offset to what the edit starts from.

        Raises:
            UserError: codes of another space or generator, or the prompt cannot be served.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """The same offset at several strengths."""
        start = self.start(latents)
        if not any(strengths):
            return [start for _ in strengths]
        source = self.in_space(start, self.edited_space(prompt))
        offset = self.offset(source, prompt)
        return [source.with_codes(source.codes + s * offset) if s else start for s in strengths]
