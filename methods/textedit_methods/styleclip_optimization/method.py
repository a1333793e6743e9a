"""StyleCLIP's latent optimisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.descent import Terms, descend
from textedit_bench.devices import sent
from textedit_bench.editor import Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_methods.styleclip_optimization.card import CARD, Settings

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

WARM_UP, RAMP_DOWN = 0.05, 0.25


class StyleCLIPOptimization(OffsetEditor[Settings]):
    """Edited code = source + strength * (optimised - source), one optimisation per (image, prompt) pair."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Check the settings.

        Raises:
            UserError: an unknown setting, one of another type or out of range, or an identity weight where the data set
                has no identity network.
        """
        super().__init__(domain, **settings)
        if self.values.identity_weight and not domain.has("identity"):
            raise UserError(
                f"setting identity_weight of {CARD.name}: {domain.name}, tier {domain.tier}, has no identity network; "
                "valid: 0"
            )

    # -- editing -----------------------------------------------------------------------------------------------------
    def edited_space(self, prompt: Prompt) -> Space:
        """The space of the setting."""
        return self.values.space

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the difference from the given codes to the optimised ones."""
        return self.optimize(latents, [prompt] * len(latents)) - latents.codes

    def optimize(self, latents: Latents, prompts: Sequence[Prompt]) -> Tensor:
        """Optimise codes for one prompt per image, in the space of the setting.

        Args:
            latents: sources.
            prompts: one per image; they may differ. Their phrases are read, as bare words.

        Returns:
            [B, rows, w_dim], or styles [B, channels] where the setting ``space`` is ``"s"``.
        """
        if len(prompts) != len(latents):
            raise ValueError(f"{len(prompts)} prompts for {len(latents)} images")
        source = self.in_space(latents, self.values.space).codes
        return self._descend(source, [prompt.words for prompt in prompts], self.values)

    # -- generation --------------------------------------------------------------------------------------------------
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents:
        """Generate ``n`` images from text: random truncated codes, optimised by the CLIP term only.

        The released script starts from the mean of W, which gives one image; here every image starts from a draw of its
        own, so that they differ. With the setting ``truncation`` at 0 all start from the mean, as released. Image i is
        the same for every ``n``.

        Raises:
            UserError: n or the seed is out of range.
        """
        drawn = self.random_codes(n, seed, self.values.truncation)
        start = self.in_space(drawn, self.values.space)
        free = self.values.model_copy(update={"l2_weight": 0.0, "identity_weight": 0.0})
        return start.with_codes(self._descend(start.codes, [prompt.words] * n, free))

    # -- the optimisation --------------------------------------------------------------------------------------------
    @torch.inference_mode(False)
    def _descend(self, source: Tensor, words: Sequence[str], values: Settings) -> Tensor:
        source = source.clone()  # tensors of a caller's inference mode cannot take part in a backward pass
        if not len(source):
            return source
        texts = torch.stack([self.embed_text(text) for text in words]).to(source.device)
        free = sent(self._free(), source.device) if values.space == "s" else None
        parts = zip(source.split(values.batch_size), texts.split(values.batch_size), strict=True)
        ends = [
            descend(
                codes,
                objective(self.domain, values, codes, text),
                values.steps,
                lambda step: learning_rate(step, values.steps, values.learning_rate),
                free,
            )
            for codes, text in parts
        ]
        return torch.cat(ends)

    def _free(self) -> Tensor:
        """Return which style channels are optimised: all except toRGB layers."""
        layout = self.domain.generator.style_layout
        return torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in layout])


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the rate of one step, as released: linear over the first 5 %, flat, cosine to zero over the last 25 %.

    Step 0 has rate 0: it moves nothing, but its gradient enters Adam's averages, as in the released loop. The released
    script returns the picture from before the last step, where the rate is nearly 0; we keep the code after it.

    Args:
        step: from 0.
        steps: how many there are.
        peak: the flat part.
    """
    t = step / steps
    down = min(1.0, (1.0 - t) / RAMP_DOWN)
    return peak * (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, t / WARM_UP)


def clip_term(images: Tensor, texts: Tensor) -> Tensor:
    """Compute one minus the cosine of image and text embeddings [B, d]: [B]; CLIP's logit over its scale of 100."""
    return 1 - F.cosine_similarity(images, texts, dim=-1)


def latent_term(codes: Tensor, source: Tensor) -> Tensor:
    """Compute the SUM of squared differences over all coordinates of each code: [B]. The paper's eq. 1 is a norm."""
    return (codes - source).square().flatten(1).sum(1)


def identity_term(edited: Tensor, source: Tensor) -> Tensor:
    """Compute one minus the inner product of unit identity vectors [B, d]: [B]."""
    return 1 - (edited * source).sum(-1)


def objective(domain: Domain, values: Settings, source: Tensor, texts: Tensor) -> Terms:
    """Return the weighted terms of codes for texts; features of the source are computed once.

    Args:
        domain: its generator, guiding CLIP and identity network.
        values: space and weights; a term of weight 0 costs nothing and needs no network.
        source: codes before the edit, [B, rows, w_dim] or [B, styles].
        texts: text embeddings, one per code, [B, d].
    """
    synthesize = domain.generator.synthesize if values.space == "w+" else domain.generator.synthesize_style
    who: Tensor | None = None
    if values.identity_weight:
        with torch.no_grad():
            who = domain.identity.embed(synthesize(source, noise="const"))

    def terms(codes: Tensor) -> Mapping[str, Tensor]:
        images = synthesize(codes, noise="const")
        found = {"clip": clip_term(domain.clip.encode_image(images, preprocessing=values.clip_preprocessing), texts)}
        if values.l2_weight:
            found["latent"] = values.l2_weight * latent_term(codes, source)
        if who is not None:
            found["identity"] = values.identity_weight * identity_term(domain.identity.embed(images), who)
        return found

    return terms
