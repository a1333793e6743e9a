"""StyleCLIP's latent optimisation behind the editor's contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of
from textedit_methods.styleclip_optimization.card import CARD
from textedit_methods.styleclip_optimization.descent import descend
from textedit_methods.styleclip_optimization.losses import Objective, Weights

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class StyleCLIPOptimization(Editor):
    """Edited code = source + strength * (optimised - source), one optimisation per (image, prompt) pair."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Check the settings.

        Raises:
            UserError: an unknown setting, one of another type or out of range, or an identity weight where the data set
                has no identity network.
        """
        super().__init__(domain, **settings)
        if self.settings["identity_weight"] and not domain.has("identity"):
            raise UserError(
                f"setting identity_weight of {CARD.name}: {domain.name}, tier {domain.tier}, has no identity network; "
                "valid: 0"
            )
        self._texts: dict[str, Tensor] = {}

    # -- editing -----------------------------------------------------------------------------------------------------
    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """The point at ``strength`` on the line from the source to the optimised code."""
        return self.edit_sweep(latents, prompt, [strength])[0]

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Several strengths from one optimisation; strength 0 alone costs none and returns the given codes."""
        if not any(strengths):
            return [latents for _ in strengths]
        source = self._source(latents)
        step = self.optimize(latents, [prompt] * len(latents)) - source
        space = self.settings["space"]
        return [latents.with_codes(source + s * step, space) if s else latents for s in strengths]

    def optimize(self, latents: Latents, prompts: Sequence[Prompt]) -> Tensor:
        """Codes optimised for one prompt per image, in the space of the settings.

        Args:
            latents: sources.
            prompts: one per image; they may differ. Their phrases are read, as bare words.

        Returns:
            [B, rows, w_dim], or styles [B, channels] where the setting ``space`` is ``"s"``.
        """
        if len(prompts) != len(latents):
            raise ValueError(f"{len(prompts)} prompts for {len(latents)} images")
        weights = Weights(self.settings["l2_weight"], self.settings["identity_weight"])
        return self._descend(self._source(latents), [prompt.words for prompt in prompts], weights)

    def _source(self, latents: Latents) -> Tensor:
        if self.settings["space"] == "s":
            with torch.no_grad():
                styles: Tensor = self.domain.generator.to_style(latents)
            return styles
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError(
                f"{CARD.name} was set to optimise W+ codes; these latents are style codes without their W+ codes"
            )
        return codes

    # -- generation --------------------------------------------------------------------------------------------------
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents:
        """``n`` images from text alone: random truncated codes, moved by the CLIP term, with nothing that holds them.

        The released script starts from the mean of W, which gives one image; here every image starts from a draw of its
        own, so that they differ. With the setting ``truncation`` at 0 all start from the mean, as released. Image i is
        the same for every ``n``.
        """
        if n < 1:
            raise UserError(f"number of images: must be at least 1, got {n}")
        generator, device = self.domain.generator, self.domain.device
        draws = [
            torch.randn(generator.z_dim, generator=torch.Generator().manual_seed(seed_of(seed=seed, image=i)))
            for i in range(n)
        ]
        with torch.no_grad():
            w = generator.map(sent(torch.stack(draws), device))
            w_plus = generator.broadcast(generator.truncate(w, self.settings["truncation"])).clone()
        latents = Latents(w_plus, "w+", ids=tuple(f"generated-{seed}-{i}" for i in range(n)))
        codes = self._descend(self._source(latents), [prompt.words] * n, Weights())
        return latents.with_codes(codes, self.settings["space"])

    # -- the optimisation --------------------------------------------------------------------------------------------
    @torch.inference_mode(False)
    def _descend(self, source: Tensor, words: Sequence[str], weights: Weights) -> Tensor:
        source = source.clone()  # tensors of a caller's inference mode cannot take part in a backward pass
        settings, domain = self.settings, self.domain
        texts = self._embed(words).to(source.device)
        free = sent(self._free(), source.device) if settings["space"] == "s" else None
        ends, size = [], settings["batch_size"]
        for codes, text in zip(source.split(size), texts.split(size), strict=True):
            if not len(codes):
                continue
            objective = Objective(
                domain.generator,
                domain.clip,
                text,
                codes,
                settings["space"],
                weights,
                identity=domain.identity if weights.identity else None,
                clip_preprocessing=settings["clip_preprocessing"],
            )
            ends.append(descend(codes, objective, settings["steps"], settings["learning_rate"], free))
            objective.watch.check()
        return torch.cat(ends) if ends else source.clone()

    def _free(self) -> Tensor:
        """Which style channels move: all but those of toRGB layers."""
        layout = self.domain.generator.style_layout
        return torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in layout])

    @torch.no_grad()
    def _embed(self, words: Sequence[str]) -> Tensor:
        """Embeddings of bare phrases [B, d]; each encoded alone, so that it does not depend on its company."""
        for text in dict.fromkeys(words):
            if text not in self._texts:
                self._texts[text] = self.domain.clip.encode_text([text])[0]
        return torch.stack([self._texts[text] for text in words]) if words else torch.empty(0, 1)
