"""DeltaEdit behind the editor's contract."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.models.packing import exact_precision
from textedit_bench.models.storage import save_network
from textedit_bench.prompt import Prompt
from textedit_bench.weights import weights_folder
from textedit_methods.deltaedit.card import CARD
from textedit_methods.deltaedit.checkpoint import load_model, load_relevance
from textedit_methods.deltaedit.editing import channels_to_edit, masked_offset
from textedit_methods.deltaedit.model import DeltaModel
from textedit_methods.deltaedit.network import DeltaMapper
from textedit_methods.deltaedit.presets import preset
from textedit_methods.deltaedit.styles import edited_widths, with_offset, without_rgb
from textedit_methods.deltaedit.texts import text_difference

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


class DeltaEdit(Editor):
    """styles + strength * mask * mapper(styles, [image feature, text difference]); toRGB styles are never edited."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Settings not given come from the tier's preset, then from the card.

        Raises:
            UserError: an unknown setting, or a value that is not valid.
        """
        super().__init__(domain, **{**preset(domain.tier), **settings})
        if not (self.settings["mse_weight"] or self.settings["cosine_weight"]):
            raise UserError("mse_weight and cosine_weight of deltaedit are both 0: there is nothing to learn")
        self._model: DeltaModel | None = None
        self._relevance: Tensor | None = None
        self._differences: dict[tuple[str, str], Tensor] = {}
        self._kept: dict[tuple[str, str], Tensor] = {}

    # -- editing -----------------------------------------------------------------------------------------------------
    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Add ``strength`` times the masked offset to the styles.

        Raises:
            UserError: not trained for this domain, no relevance matrix, or no channel is relevant enough.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """The same offset at several strengths; strength 0 returns the given codes."""
        if not any(strengths):
            return [latents for _ in strengths]
        styles: Tensor = self.domain.generator.to_style(latents)
        offset = self.offset(styles, self._features(latents, styles), prompt)
        edited = [with_offset(self.domain.generator, styles, s * offset) for s in strengths]
        return [latents.with_codes(codes, "s") if s else latents for s, codes in zip(strengths, edited, strict=True)]

    @torch.no_grad()
    def offset(self, styles: Tensor, features: Tensor, prompt: Prompt) -> Tensor:
        """What is added at strength 1 to the convolutions' styles.

        Args:
            styles: whole style codes [B, all].
            features: CLIP features of the images [B, d].
            prompt: its target and source texts are read.

        Returns:
            [B, num_styles], 0 where the channel is not relevant.
        """
        difference, keep = self._difference(prompt), self._channels(prompt)
        mapper = self.model.mapper.to(styles.device)
        return masked_offset(mapper, without_rgb(self.domain.generator, styles), features, difference, keep)

    def _channels(self, prompt: Prompt) -> Tensor:
        """The prompt's relevant channels, bool [num_styles]; found and told once per prompt."""
        texts, difference = self._texts(prompt), self._difference(prompt)
        if texts not in self._kept:
            threshold = float(self.settings["threshold"])
            keep = channels_to_edit(self.relevance.to(difference), difference, threshold, prompt.target)
            # StyleCLIP's thresholds are for differences of unit length, DeltaEdit's for the difference as it is.
            unit = threshold / float(difference.norm())
            log.info(
                "deltaedit: %d of %d channels are edited for %r (threshold %g; %.3g for a difference of unit length)",
                int(keep.sum()), len(keep), prompt.target, threshold, unit,
            )  # fmt: skip
            self._kept[texts] = keep
        return self._kept[texts]

    def _features(self, latents: Latents, styles: Tensor) -> Tensor:
        """CLIP features of the photos; of the inversions where there are none."""
        images = latents.images
        if images is None:
            images = self.domain.generator.synthesize_style(styles)
        features: Tensor = self.domain.clip.encode_image(images, preprocessing=self.model.clip_preprocessing)
        return features.float()

    def _difference(self, prompt: Prompt) -> Tensor:
        texts = self._texts(prompt)
        if texts not in self._differences:
            self._differences[texts] = text_difference(self.domain.clip, *texts, self.settings["templates"])
        return self._differences[texts]

    def _texts(self, prompt: Prompt) -> tuple[str, str]:
        return prompt.target, prompt.source or self.domain.card.neutral

    @property
    def model(self) -> DeltaModel:
        """The trained mapper with its companions.

        Raises:
            UserError: there is none yet.
        """
        if self._model is None:
            raise UserError(
                f"deltaedit has no trained weights for {self.domain.name}, tier {self.domain.tier} "
                f"(expected {self.weights_path()}); train them with: "
                f"textedit-bench train --method deltaedit --dataset {self.domain.name}"
            )
        return self._model

    @property
    def relevance(self) -> Tensor:
        """The relevance matrix [num_styles, d].

        Raises:
            UserError: neither the weights nor the settings have one.
        """
        if self._relevance is None:
            # The authors' mapper comes without a matrix; the one they use is StyleCLIP's.
            released = self.model.relevance is None and self.released_files()
            given = self.settings["relevance_file"] or (released[-1] if released else "")
            if given:
                widths, dim = edited_widths(self.domain.generator), self.domain.clip.embed_dim
                self._relevance = load_relevance(given, sum(widths), dim)
            elif self.model.relevance is not None:
                self._relevance = self.model.relevance
            else:
                raise UserError(
                    "relevance_file of deltaedit: released weights come without a relevance matrix; name StyleCLIP's "
                    "fs3.npy of the same generator"
                )
        return self._relevance

    # -- weights -----------------------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """The committed (or locally trained) weights of this data set and tier."""
        name = f"{self.domain.name}-{self.domain.tier}.safetensors"
        return weights_folder("textedit_methods.deltaedit", self.domain) / name

    def save(self, path: str | Path) -> None:
        """Write mapper and relevance matrix, in the narrowest form that loses nothing."""
        model = self.model.cpu()
        save_network(model, path, "deltaedit", exact_precision(model.state_dict()))

    def load(self, path: str | Path) -> None:
        """Read what `save` wrote, or a released mapper.

        Raises:
            UserError: the file holds no mapper, or one that does not fit this domain.
        """
        model = load_model(path)
        self._check_fits(model.mapper, str(path))
        self._use(model)

    def _use(self, model: DeltaModel) -> None:
        self._model, self._relevance = model, None
        self._kept.clear()

    def _check_fits(self, mapper: DeltaMapper, source: str) -> None:
        styles, condition = sum(edited_widths(self.domain.generator)), 2 * self.domain.clip.embed_dim
        if (mapper.num_styles, mapper.condition) != (styles, condition):
            raise UserError(
                f"{source}: a mapper of {mapper.num_styles} styles and conditions of {mapper.condition}; "
                f"{self.domain.name} has {styles} and {condition}"
            )

    @classmethod
    def load_network(cls, path: str | Path) -> DeltaMapper:
        """The mapper of a released checkpoint or of ours: (styles without toRGB, condition) -> difference of styles."""
        return load_model(path).mapper

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train the mapper and compute the relevance matrix; afterwards this editor uses them. `save` keeps them.

        Args:
            prompts: not trained on; shown in the validation pictures (the card's development prompts where None).
            options: settings of the method for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: an unknown option or a value that is not valid, or too few images.
        """
        from textedit_bench.training import RunOptions
        from textedit_methods.deltaedit.fitting import fit_model

        run, own = RunOptions.split(options)
        chosen = type(self)(self.domain, **{**self.settings, **own}).settings
        shown = list(self.domain.prompts("development").values()) if prompts is None else list(prompts)
        self._use(fit_model(self.domain, chosen, run, shown))
