"""The DeltaEdit editor: one mapper for all prompts, trained without text."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.editor import Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.models.clip import mean_embedding, sentences
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace.statistics import editable_widths, with_rgb, without_rgb
from textedit_bench.trained import TrainedOffsetEditor
from textedit_methods.deltaedit.card import CARD, Settings
from textedit_methods.deltaedit.network import DeltaMapper, DeltaModel, split_widths, unit_difference
from textedit_methods.deltaedit.released import RELEASED, load_relevance

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


class DeltaEdit(TrainedOffsetEditor[DeltaModel, Settings]):
    """styles + strength * mask * mapper(styles, [image feature, text difference]); toRGB styles are never edited."""

    info = CARD
    network_type = (DeltaModel, DeltaMapper)
    released = RELEASED
    roles = ("generator", "encoder", "clip")

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Like every trained editor."""
        super().__init__(domain, **settings)
        self.stored_as = self.values.stored_as
        self._matrices: dict[str | Path, Tensor] = {}
        self._asked: dict[tuple[DeltaModel, str, str | None], tuple[Tensor, Tensor]] = {}

    # -- editing -----------------------------------------------------------------------------------------------------
    def edited_space(self, prompt: Prompt) -> Space:
        """Styles."""
        return "s"

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the masked prediction.

        Raises:
            UserError: not trained for this domain, no relevance matrix, or no channel is relevant enough.
        """
        return style_offset(self.domain, self.network, latents, *self._asked_for(prompt))

    def difference(self, prompt: Prompt) -> Tensor:
        """Compute target minus source text in CLIP's space [d], NOT normalised, as the mask's threshold requires."""
        texts = prompt.target, prompt.source or self.domain.card.neutral
        banks = [sentences(text) if self.values.templates == "imagenet" else [text.strip()] for text in texts]
        target, source = (mean_embedding(self.domain.clip, bank) for bank in banks)
        return target - source

    def _asked_for(self, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Return the text difference [d] and its editable channels, bool [num_styles]; cached and logged once."""
        key = self.network, prompt.target, prompt.source
        if key not in self._asked:
            threshold, difference = self.values.threshold, self.difference(prompt)
            keep = channels_to_edit(self.relevance.to(difference), difference, threshold, prompt.target)
            log.info(
                "deltaedit: %d of %d channels are edited for %r (threshold %g; %.3g for a difference of unit length)",
                int(keep.sum()), len(keep), prompt.target, threshold, threshold / float(difference.norm()),
            )  # fmt: skip
            self._asked[key] = difference, keep
        return self._asked[key]

    @property
    def relevance(self) -> Tensor:
        """Return the relevance matrix [num_styles, d].

        Raises:
            UserError: neither the weights nor the settings have one.
        """
        own = self.network.relevance
        # The authors' mapper comes without a matrix; the one they use is StyleCLIP's.
        released = self.released_files()[-1:] if own is None else ()
        if given := self.values.relevance_file or next(iter(released), ""):
            if given not in self._matrices:  # asked for by every prompt
                rows, width = sum(editable_widths(self.domain.generator)), self.domain.clip.embed_dim
                self._matrices[given] = load_relevance(given, rows, width)
            return self._matrices[given]
        if own is None:
            raise UserError(
                "relevance_file of deltaedit: released weights come without a relevance matrix; name StyleCLIP's "
                "fs3.npy of the same generator"
            )
        return own

    # -- weights and training ----------------------------------------------------------------------------------------
    @classmethod
    def load_network(cls, path: str | Path) -> DeltaModel:
        """Load the mapper and, from our files, the relevance matrix."""
        network = super().load_network(path)
        return DeltaModel(network).eval() if isinstance(network, DeltaMapper) else network

    def check_fits(self, network: DeltaModel, source: str) -> None:
        """Refuse a mapper for another generator or CLIP."""
        mapper, domain = network.mapper, self.domain
        styles, condition = sum(editable_widths(domain.generator)), 2 * domain.clip.embed_dim
        if (mapper.num_styles, mapper.condition) != (styles, condition):
            raise UserError(
                f"{source}: a mapper of {mapper.num_styles} styles and conditions of {mapper.condition}; "
                f"{domain.name} has {styles} and {condition}"
            )

    def new_network(self) -> DeltaModel:
        """Create an untrained mapper, without a relevance matrix."""
        values, domain = self.values, self.domain
        groups = split_widths(editable_widths(domain.generator))
        mapper = DeltaMapper(groups, 2 * domain.clip.embed_dim, values.hidden, values.depth)
        return DeltaModel(mapper, clip_preprocessing=values.clip_preprocessing)


def relevant(relevance: Tensor, difference: Tensor, threshold: float) -> Tensor:
    """Return channels whose relevance for a text difference reaches the threshold, bool [num_styles].

    Args:
        relevance: unit rows [num_styles, d].
        difference: target minus source [d], NOT normalised.
        threshold: for that difference. StyleCLIP's, meant for one of unit length, is ``threshold / |difference|``.
    """
    return (relevance @ difference).abs() >= threshold


def channels_to_edit(relevance: Tensor, difference: Tensor, threshold: float, words: str) -> Tensor:
    """Return `relevant` channels; raise an error if there are none.

    Raises:
        UserError: no channel reaches the threshold; says which one would.
    """
    keep = relevant(relevance, difference, threshold)
    if not keep.any():
        largest = float((relevance @ difference).abs().max())
        raise UserError(
            f"threshold {threshold:g} of deltaedit: no style channel is that relevant for {words!r}; "
            f"the most relevant one has {largest:.4g}, valid: 0 to that"
        )
    return keep


def style_offset(domain: Domain, network: DeltaModel, latents: Latents, difference: Tensor, keep: Tensor) -> Tensor:
    """Return the offset of style codes at strength 1, [B, all]; 0 for channels that are not relevant.

    Args:
        domain: generator and guiding CLIP.
        network: the trained mapper.
        latents: style codes. CLIP sees their photos, or where there are none, what the codes show.
        difference: of texts [d].
        keep: channels that are edited, bool [num_styles].
    """
    styles, images = latents.codes, latents.images
    if images is None:
        images = domain.generator.synthesize_style(styles)
    features = domain.clip.encode_image(images, preprocessing=network.clip_preprocessing).float()
    mapper = network.mapper.to(styles.device)
    offset = masked_offset(mapper, without_rgb(domain.generator, styles), features, difference, keep)
    return with_rgb(domain.generator, offset.to(styles))


def masked_offset(mapper: nn.Module, styles: Tensor, features: Tensor, difference: Tensor, keep: Tensor) -> Tensor:
    """Return the offset of the convolutions' styles at strength 1, [B, num_styles].

    Args:
        mapper: (styles, condition) -> offset.
        styles: convolutions' styles [B, num_styles].
        features: CLIP features of the images [B, d], of any length.
        difference: of texts [d], of any length.
        keep: channels that are edited, bool [num_styles].
    """
    wanted = unit_difference(difference).expand(len(styles), -1)
    offset: Tensor = mapper(styles, torch.cat([F.normalize(features, dim=-1), wanted], dim=-1))
    return offset * keep
