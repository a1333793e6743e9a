"""StyleCLIP's global directions: one step in style space per prompt (paper, section 6)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.assets.locate import weights_folder
from textedit_bench.devices import sent
from textedit_bench.editor import Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.models.clip import mean_embedding, sentences
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace.resumable import OutOfTime
from textedit_bench.stylespace.statistics import Statistics, editable, measure, with_rgb
from textedit_methods.styleclip_global.card import CARD, Settings
from textedit_methods.styleclip_global.relevance import (
    GradientRelevance,
    Relevance,
    load_relevance,
    make_relevance,
    sampling_of,
    save_relevance,
)

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel

log = logging.getLogger(__name__)

AUTO_BETAS = tuple(hundredths / 100 for hundredths in range(29, 9, -1))
"""The published candidates, largest first: 0.29, 0.28, ..., 0.10."""


class StyleCLIPGlobal(OffsetEditor[Settings]):
    """One step in style space per prompt, the same for every image: styles + strength * alpha * step."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Like every editor."""
        super().__init__(domain, **settings)
        self._relevance: Relevance | None = None
        self._steps: dict[tuple[str, str], tuple[Tensor, int]] = {}

    # -- editing -----------------------------------------------------------------------------------------------------
    def edited_space(self, prompt: Prompt) -> Space:
        """Styles."""
        return "s"

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Add each strength times alpha times the prompt's step to the styles; 0 returns the given codes.

        Raises:
            UserError: no channel reaches the threshold, or there is no relevance matrix.
        """
        return super().edit_sweep(latents, prompt, [strength * self.values.alpha for strength in strengths])

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the prompt's step at alpha 1, [1, styles], the same for every image."""
        return with_rgb(self.domain.generator, self._step(prompt)[0].to(latents.codes)[None])

    def prepare(self, prompt: Prompt) -> None:
        """Select the prompt's channels."""
        self._step(prompt)

    def channels(self, prompt: Prompt) -> int:
        """Return how many style channels an edit by this prompt changes."""
        return self._step(prompt)[1]

    def projection(self, prompt: Prompt) -> Tensor:
        """Compute the relevance of every editable channel for the prompt, [N] in [-1, 1], by the setting's method."""
        direction = text_direction(self.domain.clip, prompt.target, self._source(prompt))
        if self._by_gradient:
            return self.gradient.projection(direction)
        return sent(self.relevance.rows, direction.device, direction.dtype) @ direction

    def _source(self, prompt: Prompt) -> str:
        return prompt.source if prompt.source is not None else self.domain.card.neutral

    def _step(self, prompt: Prompt) -> tuple[Tensor, int]:
        """Return the step [N] at alpha 1 and its number of channels; computed and logged once per prompt."""
        key = (prompt.target, self._source(prompt))
        if key not in self._steps:
            projection = self.projection(prompt)
            statistics = self.gradient.statistics if self._by_gradient else self.relevance.statistics
            wanted = self.values.auto_beta
            beta = automatic_beta(projection, wanted) if wanted else self.values.beta
            try:
                change, count = step(projection, sent(statistics.std, projection.device, projection.dtype), beta)
            except UserError as error:
                raise UserError(f"{CARD.name}, prompt {prompt.target!r}: {error}") from None
            log.info(
                "%s: %r edits %d of %d style channels (beta %g)", CARD.name, prompt.target, count, len(change), beta
            )
            self._steps[key] = change, count
        return self._steps[key]

    # -- relevances --------------------------------------------------------------------------------------------------
    @property
    def _by_gradient(self) -> bool:
        return self.values.relevance == "gradient"

    @property
    def relevance(self) -> Relevance:
        """The swept matrix.

        Raises:
            UserError: there is none yet.
        """
        if self._relevance is None:
            raise UserError(
                f"{CARD.name} has no channel relevances for {self.domain.name}, tier {self.domain.tier} "
                f"(expected {self.weights_path()}); make them with: textedit-bench train --method {CARD.name} "
                f"--dataset {self.domain.name}, or do without: --set relevance=gradient"
            )
        return self._relevance

    @cached_property
    def gradient(self) -> GradientRelevance:
        """Relevances by gradients, prepared on first use."""
        domain, sampling, images = self.domain, sampling_of(self.settings), self.values.gradient_images
        return GradientRelevance(domain.generator, domain.clip, sampling, images=images, probe_count=self.values.probes)

    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Compute the relevance matrix, which is used for all prompts; resumable.

        Args:
            prompts: not used.
            options: training settings of the card for this run, and of `textedit_bench.training.RunOptions` the fields
                ``folder``, ``resume`` and ``stop_after_minutes``.

        Raises:
            UserError: unknown option, or the deadline came before the end.
        """
        from textedit_bench.training.options import RunOptions

        run, own = RunOptions.split(options)
        settings = type(self)(self.domain, **{**self.settings, **own}).settings
        chosen = {name: settings[name] for name in self.info.training}
        try:
            self._relevance = make_relevance(
                self.domain, chosen, run.folder, resume=run.resume, minutes=run.stop_after_minutes
            )
        except OutOfTime as stop:
            raise UserError(
                f"stop_after_minutes: {run.stop_after_minutes:g} were not enough; what is done lies in {stop}, "
                "the same command goes on from there"
            ) from None
        self._steps.clear()

    @property
    def needs_weights(self) -> bool:
        """Return whether edits need the matrix: not if relevances come from gradients."""
        return not self._by_gradient

    def weights_path(self) -> Path:
        """Return the committed or locally computed matrix of this data set and tier."""
        name = f"{self.domain.name}-{self.domain.tier}.safetensors"
        return weights_folder("textedit_methods.styleclip_global", self.domain) / name

    def save(self, path: str | Path) -> None:
        """Write the matrix in 8 bits."""
        save_relevance(self.relevance, path)

    def load(self, path: str | Path) -> None:
        """Read a matrix written by `save`, or a released ``fs3.npy``.

        The channels' statistics of a released matrix are those of ``S_mean_std`` in the same folder, else measured.

        Raises:
            UserError: the file is damaged, was made for another generator, or its rows are not of this CLIP's width.
        """
        layout = self.domain.generator.style_layout
        relevance = load_relevance(path, [(layer.channels, layer.is_rgb) for layer in layout], self._measure)
        if relevance.rows.shape[1] != self.domain.clip.embed_dim:
            raise UserError(
                f"{path}: relevances of width {relevance.rows.shape[1]}; the guiding CLIP of {self.domain.name} has "
                f"{self.domain.clip.embed_dim}"
            )
        self._relevance = relevance
        self._steps.clear()

    def _measure(self) -> Statistics:
        """Measure the channels' statistics of this generator, for a matrix without them."""
        generator = self.domain.generator
        log.info("%s: no S_mean_std in the folder of the matrix; measuring the statistics of the channels", CARD.name)
        return measure(generator, editable(generator), sampling_of(self.settings))


def text_direction(clip: ClipModel, target: str, source: str) -> Tensor:
    """Compute the unit vector from the source text's embedding to the target's: [d].

    Raises:
        UserError: both texts mean the same to CLIP.
    """
    difference = mean_embedding(clip, sentences(target)) - mean_embedding(clip, sentences(source))
    if difference.norm() < 1e-6:
        raise UserError(f"prompt: target {target!r} and source {source!r} are the same to CLIP; they must differ")
    return F.normalize(difference, dim=0)


def automatic_beta(projection: Tensor, channels: int) -> float:
    """Return the largest candidate that keeps more than ``channels`` channels; if none does, the smallest one.

    Args:
        projection: relevance of each channel to the text direction, [N].
        channels: published: 20 for faces, 100 for everything else.
    """
    for beta in AUTO_BETAS:
        if int((projection.abs() >= beta).sum()) > channels:
            return beta
    return AUTO_BETAS[-1]


def step(projection: Tensor, std: Tensor, beta: float) -> tuple[Tensor, int]:
    """Compute the step at alpha 1: relevances below ``beta`` set to 0, the largest scaled to 1, times deviations.

    Args:
        projection: [N], of unit rows with a unit direction.
        std: standard deviation of each channel, [N].
        beta: threshold on the absolute relevance; a channel exactly at it is kept.

    Returns:
        The step [N] and the number of channels it changes.

    Raises:
        UserError: no channel reaches the threshold. (The released code divides by zero there.)
    """
    kept = projection.abs() >= beta
    largest = float(projection.abs().max())
    if not kept.any() or largest == 0:
        raise UserError(
            f"beta: no channel reaches {beta:g}, the most relevant of {len(projection)} has {largest:.3f}; "
            "lower it with --set beta=NUMBER, or ask for a text that differs more from its source"
        )
    chosen = torch.where(kept, projection, torch.zeros_like(projection))
    return chosen / largest * std, int(kept.sum())
