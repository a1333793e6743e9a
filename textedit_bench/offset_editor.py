"""Base class of editors that add an offset to codes, the same for every strength."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Latents, Space
from textedit_bench.prompt import Prompt
from textedit_bench.ranges import MACHINE, check_whole
from textedit_bench.seeds import seed_of
from textedit_bench.typed_editor import SettingsT, TypedEditor


class OffsetEditor(TypedEditor[SettingsT], ABC):
    """Edited codes = codes + strength * offset, in W+ or in styles."""

    @abstractmethod
    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the offset of the codes at strength 1, of their shape or broadcastable to it.

        Args:
            latents: in the edited space; called without gradients.
            prompt: the prompt.
        """

    def start(self, latents: Latents) -> Latents:
        """Return the codes at strength 0: the given ones, unless the method has its own inversion."""
        return latents

    def edited_space(self, prompt: Prompt) -> Space:
        """The space of the edited codes."""
        return "w+"

    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Apply the same offset at several strengths."""
        start = self.start(latents)
        if not any(strengths):
            return [start for _ in strengths]
        source = self.in_space(start, self.edited_space(prompt))
        offset = self.offset(source, prompt)
        return [source.with_codes(source.codes + s * offset) if s else start for s in strengths]

    @torch.no_grad()
    def random_codes(self, n: int, seed: int, truncation: float) -> Latents:
        """Draw W+ codes, such as those from which a generation starts; image i is the same for every ``n``.

        Args:
            n: number of codes.
            seed: of the draws.
            truncation: of the codes: 1 changes nothing, 0 gives the mean of W.

        Raises:
            UserError: n or the seed is out of range.
        """
        check_whole("n", n, low=1)
        check_whole("seed", seed, low=0, below=MACHINE)
        generator, device = self.domain.generator, self.domain.device
        streams = (torch.Generator().manual_seed(seed_of(seed=seed, image=i)) for i in range(n))
        z = torch.stack([torch.randn(generator.z_dim, generator=stream) for stream in streams])
        codes = generator.broadcast(generator.truncate(generator.map(sent(z, device)), truncation)).clone()
        return Latents(codes, "w+", ids=tuple(f"generated-{seed}-{i}" for i in range(n)))
