"""TediGAN's instance-level optimisation behind the editor's contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.tedigan.card import CARD
from textedit_methods.tedigan.objective import Objective, Weights

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class TediGAN(Editor):
    """Edited code = source + strength * (optimised - source), one optimisation per (image, prompt) pair."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Check the settings; the encoder's term falls away where the data set has no encoder.

        Raises:
            UserError: an unknown setting, one of another type or out of range, or an encoder weight that was asked for
                where there is no encoder.
        """
        super().__init__(domain, **settings)
        if not domain.has("encoder"):
            if settings.get("encoder_weight"):
                raise UserError(
                    f"setting encoder_weight of {CARD.name}: {domain.name}, tier {domain.tier}, has no encoder; "
                    "valid: 0"
                )
            self.settings["encoder_weight"] = 0.0

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """The point at ``strength`` on the line from the source to the optimised code.

        Raises:
            UserError: the latents are style codes without their W+ codes.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Several strengths from one optimisation; strength 0 alone costs none and returns the given codes."""
        source = latents.codes if latents.space == "w+" else latents.w_plus
        if source is None:
            raise UserError(f"{CARD.name} edits W+ codes; these latents are style codes without their W+ codes")
        if not any(strengths):
            return [latents for _ in strengths]
        step = self.optimize(source, latents.images, prompt) - source
        return [latents.with_codes(source + s * step, "w+") if s else latents for s in strengths]

    @torch.inference_mode(False)
    def optimize(self, source: Tensor, photos: Tensor | None, prompt: Prompt) -> Tensor:
        """Codes [B, rows, w_dim] optimised from ``source`` towards the prompt's target.

        Args:
            source: W+ codes; not modified.
            photos: what the codes were inverted from, [B, 3, H, W] in [-1, 1]; where None, what they show.
            prompt: its target is read, as a whole sentence.
        """
        source = source.clone()  # tensors of a caller's inference mode cannot take part in a backward pass
        with torch.no_grad():
            text = self.domain.clip.encode_text([prompt.target])[0].to(source.device)
            shown = self.domain.generator.synthesize(source, noise="const") if photos is None else photos.clone()
        size = self.settings["batch_size"]
        parts = zip(source.split(size), shown.to(source.device).split(size), strict=True)
        ends = [self._descend(codes, self._objective(images, text)) for codes, images in parts if len(codes)]
        return torch.cat(ends) if ends else source

    def _objective(self, photos: Tensor, text: Tensor) -> Objective:
        settings, domain = self.settings, self.domain
        weights = Weights(settings["clip_weight"], settings["pixel_weight"], settings["encoder_weight"])
        encoder = domain.network("encoder") if weights.encoder else None
        preprocessing = settings["clip_preprocessing"]
        return Objective(domain.generator, domain.clip, encoder, photos, text, weights, preprocessing)

    def _descend(self, source: Tensor, objective: Objective) -> Tensor:
        """Adam at a constant rate; coordinates are independent, so every image ends where it would end alone."""
        with torch.enable_grad():
            codes = source.detach().clone().requires_grad_(True)
            adam = torch.optim.Adam([codes], lr=self.settings["learning_rate"])
            for _ in range(self.settings["steps"]):
                # Of the codes alone: no network is given a gradient, even one whose parameters ask for it.
                (codes.grad,) = torch.autograd.grad(objective(codes).sum(), [codes])
                adam.step()
        objective.watch.check()
        return codes.detach()
