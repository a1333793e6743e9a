"""TediGAN's instance-level optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.assets.locate import fetched
from textedit_bench.assets.manifest import get_asset
from textedit_bench.descent import descend
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_methods.tedigan.card import CARD, Settings
from textedit_methods.tedigan.features import FeatureDistance

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

Compared = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] -> their distances to photos [B]."""
_VGG = "tedigan-vgg16"


class TediGAN(OffsetEditor[Settings]):
    """Edited code = source + strength * (optimised - source), one optimisation per (image, prompt) pair."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Check the settings; the encoder's term is omitted if the data set has no encoder.

        Raises:
            UserError: an unknown setting, one of another type or out of range, or an encoder weight besides the default
                where there is no encoder.
        """
        super().__init__(domain, **settings)
        if not domain.has("encoder"):
            if self.values.encoder_weight not in (0.0, Settings().encoder_weight):  # a bench gives defaults too
                raise UserError(
                    f"setting encoder_weight of {CARD.name}: {domain.name}, tier {domain.tier}, has no encoder; "
                    "valid: 0"
                )
            self.settings["encoder_weight"] = 0.0
            self.values = Settings(**self.settings)

    def released_files(self) -> tuple[Path, ...]:
        """Return the file of the feature term, where it has a weight and the file is there."""
        if not self.values.feature_weight:
            return ()
        path = next(iter(self.given_file("feature_network")), None) or fetched(_VGG)
        return (path,) if path else ()

    def released_weights(self) -> Path | None:
        """Return None: the file is read on first use."""
        return None

    def lacks(self) -> str | None:
        """Return that the feature term has a weight and no network."""
        if self.values.feature_weight and not self.released_files():
            return f"the feature term has no network: {get_asset(_VGG).advice()}, or feature_network=FILE"
        return None

    def refusal(self, prompt: Prompt) -> str | None:
        """Return what is missing."""
        return self.lacks()

    @cached_property
    def features(self) -> FeatureDistance | None:
        """The network of the feature term, where that has a weight.

        Raises:
            UserError: its file is missing.
        """
        if not self.values.feature_weight:
            return None
        if lack := self.lacks():
            raise UserError(lack)
        with torch.random.fork_rng(devices=[]):  # building draws numbers
            return FeatureDistance(self.released_files()[0]).to(self.domain.device)

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the difference from the given codes to the optimised ones."""
        return self.optimize(latents.codes, latents.images, prompt) - latents.codes

    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents:
        """Generate ``n`` pictures: random truncated codes, edited like photos, so that they stay near these samples.

        Image i is the same for every ``n``.

        Raises:
            UserError: n or the seed is out of range, or the feature term's network is missing.
        """
        drawn = self.random_codes(n, seed, self.values.truncation)
        return drawn.with_codes(self.optimize(drawn.codes, None, prompt))

    @torch.inference_mode(False)
    def optimize(self, source: Tensor, photos: Tensor | None, prompt: Prompt) -> Tensor:
        """Optimise codes [B, rows, w_dim] from ``source`` towards the prompt's target.

        Args:
            source: W+ codes; not modified.
            photos: what the codes were inverted from, [B, 3, H, W] in [-1, 1]; if None, what they show.
            prompt: its target is read, as a whole sentence.
        """
        source, values = source.clone(), self.values  # a caller's inference mode would forbid a backward pass
        with torch.no_grad():
            shown = self.domain.generator.synthesize(source, noise="const") if photos is None else photos.clone()
        text = self.embed_text(prompt.target).to(source.device)
        size, rate = values.batch_size, values.learning_rate
        ends = [
            descend(
                codes,
                partial(terms, self.domain, values, images, text, features=self._compared(images)),
                values.steps,
                lambda _: rate,
            )
            for codes, images in zip(source.split(size), shown.to(source.device).split(size), strict=True)
            if len(codes)
        ]
        return torch.cat(ends) if ends else source

    def _compared(self, photos: Tensor) -> Compared | None:
        """Return what compares pictures with these photos in the feature term; None where that has no weight."""
        return None if self.features is None else partial(self.features, wanted=self.features.maps(photos))


def terms(
    domain: Domain,
    values: Settings,
    photos: Tensor,
    text: Tensor,
    codes: Tensor,
    features: Compared | None = None,
) -> Mapping[str, Tensor]:
    """Compute the loss of codes: against a text, the source photos, and the encoder's codes of their pictures.

    ``clip (1 - cos(C(G(w)), C(text))) + pixel mean((x - G(w))^2) + encoder mean((w - E(G(w)))^2)
    + feature mean((F(x) - F(G(w)))^2)``

    Args:
        domain: its generator, guiding CLIP and encoder.
        values: the weights; the pixels' and the encoder's term cost nothing where theirs is 0.
        photos: [B, 3, H, W] in [-1, 1].
        text: its CLIP embedding [d].
        codes: W+ codes [B, rows, w_dim].
        features: compares pictures with the photos by VGG's maps, [B]; None without that term.

    Returns:
        Name -> weighted term of each image, [B]. Images share no term, so that each ends where it would end alone.

    Source: Xia et al. 2021, eq. 9 (pixels, features, encoder); the text's term is that of Xia et al. 2021b (arXiv
    2104.08910), in whose release CLIP takes the place of the learnt text encoder.
    """
    images = domain.generator.synthesize(codes, noise="const")
    seen = domain.clip.encode_image(images, preprocessing=values.clip_preprocessing)
    found = {"clip": values.clip_weight * (1 - F.cosine_similarity(seen, text[None], dim=-1))}
    if values.pixel_weight:
        found["pixel"] = values.pixel_weight * (images - photos).square().flatten(1).mean(1)
    if values.encoder_weight:
        away = (codes - domain.network("encoder").encode(images)).square().flatten(1).mean(1)
        found["encoder"] = values.encoder_weight * away
    if features is not None:
        found["feature"] = values.feature_weight * features(images)
    return found
