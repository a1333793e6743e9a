"""The control that steps in a direction that has nothing to do with the prompt."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of
from textedit_methods.random_direction.card import CARD

_W_SAMPLES = 1024


class RandomDirection(Editor):
    """Adds one isotropic random step per (image, prompt), of a given length in every part of the code.

    The parts are the W+ rows, or the style vectors of the generator's layers in space ``s``. Settings:

    - ``lengths``: image id -> one length per part, at strength 1; None takes, for every W+ row, the root mean square
      distance of the generator's own w from their centre, so that a step is as long as a typical sample is far out;
    - ``space``: ``"w+"`` or ``"s"``, the space of the step;
    - ``seed``: repeats of the same control differ in it.
    """

    info = CARD

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """The given W+ codes plus ``strength`` times the random step; strength 0 returns the codes unchanged.

        Raises:
            UserError: an image has no length.
        """
        space = self.settings["space"]
        if strength == 0:
            return latents
        source = latents.codes
        if space != latents.space:
            source = self.domain.generator.to_style(source)
        drawn = [self._step(part, self._id(latents, i), prompt) for i, part in enumerate(source)]
        steps = sent(torch.stack(drawn), source.device, source.dtype)
        return latents.with_codes(source + strength * steps, space)

    @staticmethod
    def _id(latents: Latents, index: int) -> str:
        return latents.ids[index] if latents.ids is not None else str(index)

    def _step(self, code: Tensor, image_id: str, prompt: Prompt) -> Tensor:
        """One step of the shape of ``code``; drawn on the CPU so that devices agree."""
        seed = seed_of(control=self.info.name, image=image_id, prompt=prompt.target, seed=self.settings["seed"])
        noise = torch.randn(code.shape, generator=torch.Generator().manual_seed(seed))
        parts = list(noise) if code.ndim == 2 else list(noise.split(self._style_widths()))
        lengths = self._lengths(image_id, len(parts))
        scaled = [part / part.norm() * length for part, length in zip(parts, lengths, strict=True)]
        return torch.stack(scaled) if code.ndim == 2 else torch.cat(scaled)

    def _style_widths(self) -> list[int]:
        return [layer.channels for layer in self.domain.generator.style_layout]

    def _lengths(self, image_id: str, parts: int) -> list[float]:
        lengths = self.settings["lengths"]
        if lengths is None:
            if self.settings["space"] != "w+":
                raise UserError("setting lengths of random-direction: needed in space 's'; only 'w+' has a default")
            return [self._typical_length()] * parts
        if image_id not in lengths:
            raise UserError(f"setting lengths of random-direction: no lengths for image {image_id!r}")
        given = list(lengths[image_id])
        if len(given) != parts:
            raise UserError(f"setting lengths of random-direction: {len(given)} given for {parts} parts of the code")
        return given

    @torch.no_grad()
    def _typical_length(self) -> float:
        """Root mean square distance of w from its centre, measured once on seeded samples."""
        if not hasattr(self, "_typical"):
            generator = self.domain.generator
            device = next(generator.parameters()).device
            z = torch.randn(_W_SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(0))
            w = generator.map(sent(z, device))
            self._typical = float((w - w.mean(0)).square().sum(-1).mean().sqrt())
        return self._typical
