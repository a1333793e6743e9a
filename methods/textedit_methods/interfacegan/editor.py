"""InterFaceGAN behind the editor's contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.interfacegan.boundary import Boundary, separate
from textedit_methods.interfacegan.card import CARD
from textedit_methods.interfacegan.samples import Samples, draw, extremes, scores

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class InterFaceGAN(Editor):
    """Edited code = code + strength * step * distance * normal, the same for every image and row.

    The normal belongs to the hyperplane that separates the samples which the guiding CLIP finds most like the prompt
    from those it finds least like it. Samples are drawn once per editor, boundaries found once per prompt.
    """

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Check the settings.

        Raises:
            UserError: an unknown setting, one of another type or out of range.
        """
        super().__init__(domain, **settings)
        self._samples: Samples | None = None
        self._boundaries: dict[tuple[str, str | None], Boundary] = {}

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """The given W+ codes, ``strength`` steps along the normal; strength 0 returns them as they are.

        Raises:
            UserError: the latents are style codes without their W+ codes.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Several strengths for the price of one."""
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError(f"{CARD.name} edits W+ codes; these latents are style codes without their W+ codes")
        if not any(strengths):
            return [latents for _ in strengths]
        offset = sent(self.offset(prompt), codes.device, codes.dtype)
        return [latents.with_codes(codes + s * offset, "w+") if s else latents for s in strengths]

    def offset(self, prompt: Prompt) -> Tensor:
        """What is added to every row at strength 1, [w_dim]."""
        boundary = self.boundary(prompt)
        return self.settings["step"] * boundary.distance * boundary.normal

    def prepare(self, prompt: Prompt) -> None:
        """Find the prompt's boundary."""
        self.boundary(prompt)

    @torch.inference_mode(False)
    def boundary(self, prompt: Prompt) -> Boundary:
        """The boundary of a prompt's target against its source; found once."""
        key = (prompt.target, prompt.source)
        if key not in self._boundaries:
            settings = self.settings
            if self._samples is None:
                self._samples = draw(self.domain, settings["samples"], settings["seed"])
            high, low = extremes(scores(self._samples, prompt, self.domain), settings["share"])
            codes = self._samples.codes
            self._boundaries[key] = separate(codes[high], codes[low], settings["penalty"])
        return self._boundaries[key]
