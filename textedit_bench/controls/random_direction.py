"""Control with steps in a random direction that is unrelated to the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.controls.cards import RANDOM_DIRECTION
from textedit_bench.controls.control import Control
from textedit_bench.controls.expectations import no_effect
from textedit_bench.devices import sent
from textedit_bench.editor import Latents, Space
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.bench.material import CellMaterial
    from textedit_bench.report.control_checks import Finding, RowScores

_W_SAMPLES = 1024


class RandomDirection(Control):
    """Adds one isotropic random step per (image, prompt, seed); strength multiplies it.

    Every W+ row, or style vector of the generator's layers, moves as far as the compared method moves it in the same
    image. Alone, every W+ row moves by the root mean square distance of the generator's own w from their centre, so
    that a step is as long as a typical sample is far out.
    """

    info = RANDOM_DIRECTION
    space: Space = "w+"
    lengths: Mapping[str, Sequence[float]] | None = None
    """Image id -> one length per W+ row or style vector, at strength 1."""

    def make(self, material: CellMaterial) -> RandomDirection:
        """Create the control with the lengths of the copied cell's steps."""
        made = copy(self)
        if material.copies:
            made.space, made.lengths = material.step_lengths()
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Return the given W+ codes plus ``strength`` times the random step; strength 0 returns the codes unchanged."""
        if strength == 0:
            return latents
        source = latents.codes
        if self.space != latents.space:
            source = self.domain.generator.to_style(source)
        names = latents.ids if latents.ids is not None else [str(i) for i in range(len(source))]
        drawn = [self._step(code, name, prompt) for code, name in zip(source, names, strict=True)]
        steps = sent(torch.stack(drawn), source.device, source.dtype)
        return latents.with_codes(source + strength * steps, self.space)

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no effect."""
        return no_effect(scores)

    def _step(self, code: Tensor, image_id: str, prompt: Prompt) -> Tensor:
        """Draw one step of the shape of ``code``, on the CPU so that devices agree."""
        seed = seed_of(control=self.info.name, image=image_id, prompt=prompt.target, seed=self.settings["seed"])
        noise = torch.randn(code.shape, generator=torch.Generator().manual_seed(seed))
        widths = [layer.channels for layer in self.domain.generator.style_layout]
        parts = list(noise) if code.ndim == 2 else list(noise.split(widths))
        lengths = self.lengths[image_id] if self.lengths is not None else [self._typical_length] * len(parts)
        scaled = [part / part.norm() * length for part, length in zip(parts, lengths, strict=True)]
        return torch.stack(scaled) if code.ndim == 2 else torch.cat(scaled)

    @cached_property
    @torch.no_grad()
    def _typical_length(self) -> float:
        """Root mean square distance of w from its centre, measured once on seeded samples."""
        generator = self.domain.generator
        z = torch.randn(_W_SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(0))
        w = generator.map(sent(z, next(generator.parameters()).device))
        return float((w - w.mean(0)).square().sum(-1).mean().sqrt())
