"""StyleSpace: one channel per prompt, in which the prompt's examples deviate most (paper, section 5)."""

from __future__ import annotations

import logging
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Latents, Space
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace.released import STATISTICS, read_layers, read_statistics
from textedit_bench.typed_editor import once_per_prompt
from textedit_methods.stylespace.card import CARD, Settings
from textedit_methods.stylespace.channels import Channels, local_channels, ranking, score
from textedit_methods.stylespace.named import NAMED, Places
from textedit_methods.stylespace.released import CODES, LABELS, REGIONS, read_examples, read_regions

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.training.samples import Samples

log = logging.getLogger(__name__)

_AT_ONCE = 1024
"""Codes whose styles are computed together: 36 MB of a network of 1024 pixels."""


class StyleSpace(OffsetEditor[Settings]):
    """Styles + strength * alpha * deviation in one channel of a convolution; the same for every image.

    The channel is the one that best separates the samples that the guiding CLIP finds most similar to the prompt; it
    moves to their side. Samples are drawn once per generator, channels found once per prompt.
    """

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Like every editor.

        Raises:
            UserError: an unknown setting, a value out of range, or the settings contradict each other.
        """
        super().__init__(domain, **settings)
        values = self.values
        if (values.label or values.region >= 0) and not values.official:
            raise UserError(f"official of {CARD.name}: label and region read the authors' files; name their folder")

    # -- editing -----------------------------------------------------------------------------------------------------
    def edited_space(self, prompt: Prompt) -> Space:
        """Styles."""
        return "s"

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the offset at strength 1, [1, all]: 0 except in the prompt's channels."""
        return sent(self._step(prompt), latents.codes.device, latents.codes.dtype)

    def prepare(self, prompt: Prompt) -> None:
        """Select the prompt's channels."""
        self._step(prompt)

    @once_per_prompt
    @torch.no_grad()
    def _step(self, prompt: Prompt) -> Tensor:
        """Return the offset [1, all] on the CPU; computed and logged once per prompt."""
        positions, signs = self.choice(prompt)
        places = ", ".join(f"{layer}:{channel}" for layer, channel in self.channels.places(positions.tolist()))
        log.info("%s: %r moves %s", CARD.name, prompt.words, places)
        step = torch.zeros(1, len(self.channels.std))
        step[0, positions] = signs * self.channels.std[positions] * self.values.alpha / len(positions) ** 0.5
        return step

    def choice(self, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Return positions [k] of the prompt's channels, and the sign of each step, 1 or -1 [k].

        Raises:
            UserError: a name or file that is asked for is unknown or damaged.
        """
        if self.values.named:
            positions = torch.tensor([self.channels.position(*place) for place in self._named(self.values.named)])
            return positions, torch.ones(len(positions))
        examples = self.examples(prompt)
        order = ranking(score(examples), self._is_rgb)
        if self.values.region >= 0:
            order = order[torch.isin(order, self._local())]
        chosen = order[: self.values.channels]
        return chosen, examples.mean(0)[chosen].sign().float()

    @torch.no_grad()
    def examples(self, prompt: Prompt) -> Tensor:
        """Return normalised styles [N, all] of the prompt's examples: those ranked highest by CLIP or a classifier."""
        if self.values.label:
            return self._labelled
        source = None if prompt.source is None else self.embed_text(prompt.source)
        likeness = self.samples.likeness(self.embed_text(prompt.target), source)
        best = likeness.argsort(descending=True, stable=True)[: max(2, round(self.values.share * len(likeness)))]
        return self.channels.normalised(self._styles(self.samples.codes[best]))

    @cached_property
    def _labelled(self) -> Tensor:
        """Normalised styles of the examples of a classifier, the same for every prompt."""
        codes = read_examples(Path(self.values.official), self.values.label)
        if codes.shape[1] != self.domain.generator.w_dim:
            raise UserError(f"{self.values.official}: codes of width {codes.shape[1]} are another generator's")
        return self.channels.normalised(self._styles(codes))

    def _named(self, asked: str) -> Places:
        """Return the channels of a published name, or explicitly specified ones."""
        if re.fullmatch(r"\d+:\d+( \d+:\d+)*", asked):
            pairs = [place.split(":") for place in asked.split()]
            return tuple((int(layer), int(channel)) for layer, channel in pairs)
        known = NAMED.get(self.domain.name, {}) if self.domain.tier == "full" else {}
        if not known:
            served = ", ".join(NAMED)
            raise UserError(f"named of {CARD.name}: published names are for {served}, tier full; else: LAYER:CHANNEL")
        if asked not in known:
            raise unknown_choice(f"named of {CARD.name}", asked, known)
        return known[asked][:1]  # each is an edit by itself

    def _local(self) -> Tensor:
        """Return positions of the channels of the setting ``region``."""
        shares = read_regions(Path(self.values.official) / REGIONS, self.channels.widths)
        if self.values.region >= shares.shape[1]:
            raise UserError(f"region of {CARD.name}: {self.values.region}; valid: 0 to {shares.shape[1] - 1}")
        found = local_channels(shares, [self.values.region], self._is_rgb)
        if not len(found):
            raise UserError(f"region of {CARD.name}: no channel is local to {self.values.region}")
        return found

    # -- samples and statistics --------------------------------------------------------------------------------------
    @cached_property
    def samples(self) -> Samples:
        """Samples from which examples are selected."""
        from textedit_bench.training.samples import seen_samples

        return seen_samples(self.domain, self.values.samples, self.values.seed)

    @cached_property
    def channels(self) -> Channels:
        """All channels with their statistics: the authors', or those of the samples."""
        widths = [layer.channels for layer in self.domain.generator.style_layout]
        released = Path(self.values.official) / STATISTICS
        if self.values.official and released.is_file():
            return Channels(*read_statistics(released, widths), widths)
        styles = self._styles(self.samples.codes).double()
        mean, std = styles.mean(0), styles.std(0, correction=0)
        return Channels(mean.float(), std.float(), widths)

    @property
    def _is_rgb(self) -> Tensor:
        return torch.cat([torch.full((layer.channels,), layer.is_rgb) for layer in self.domain.generator.style_layout])

    @torch.no_grad()
    def _styles(self, codes: Tensor) -> Tensor:
        """Compute styles [N, all] of W codes [N, w_dim], both on the CPU."""
        generator, device = self.domain.generator, self.domain.device
        return torch.cat([generator.to_style(sent(part, device)).float() for part in codes.split(_AT_ONCE)]).cpu()

    # -- the authors' files ------------------------------------------------------------------------------------------
    def released_files(self) -> tuple[Path, ...]:
        """Those of the setting ``official`` that are read.

        Raises:
            UserError: one that is needed is not there.
        """
        if not self.values.official:
            return ()
        folder, values = Path(self.values.official), self.values
        needed = [*((CODES, LABELS) if values.label else ()), *((REGIONS,) if values.region >= 0 else ())]
        if not needed or (folder / STATISTICS).is_file():
            needed.append(STATISTICS)
        if missing := [name for name in needed if not (folder / name).is_file()]:
            raise UserError(f"official of {CARD.name}: {folder} lacks {', '.join(missing)}")
        return tuple(folder / name for name in needed)

    def released_weights(self) -> None:
        """Return None: the files are read if a setting names them."""

    @classmethod
    def load_network(cls, path: str | Path) -> Channels:
        """Load the channels of the authors' ``S_mean_std``; its forward moves one of them."""
        mean, std = read_layers(Path(path))
        return Channels(torch.cat(mean), torch.cat(std), [len(layer) for layer in mean])
