"""StyleFlow: codes to a normal space under what the picture shows, and back under what it is to show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainedEditor
from textedit_methods.styleflow.card import CARD, Settings
from textedit_methods.styleflow.network import ConditionalFlow
from textedit_methods.styleflow.published import WIDTH, asked_for, conditions_of, read_conditions
from textedit_methods.styleflow.released import RELEASED

Label = tuple[str, str]
"""Target and source text of a score."""


class StyleFlow(TrainedEditor[ConditionalFlow, Settings]):
    """Edited code = flow back(flow(code, own condition), condition with what is asked)."""

    info = CARD
    network_type = ConditionalFlow
    released = RELEASED
    roles = ("generator", "clip")

    # -- what is asked -----------------------------------------------------------------------------------------------
    def refusal(self, prompt: Prompt) -> str | None:
        """The condition has no number for the prompt, or the authors' weights lack what they are to be told."""
        network, refusal = self._network, ""
        labels = self.labels if network is None else network.labels
        if network is None or labels:
            if self._label(prompt) not in labels:
                refusal = f"StyleFlow edits the {len(labels)} attributes of its training; this is none of them"
        elif not self.values.contexts:
            refusal = "the authors' flow has to be told light and face attributes of every photo (contexts=FILE)"
        elif asked_for(prompt.words) is None:
            refusal = "the authors' flow edits gender, glasses, baldness, beard, age and smiles, one at a time"
        return refusal or None

    @cached_property
    def labels(self) -> list[Label]:
        """What the next training labels its samples by: all trained prompts of the card, until it is given others."""
        return self.labels_of(self.domain.training_prompts())

    def labels_of(self, prompts: Sequence[Prompt]) -> list[Label]:
        """What a training on the prompts labels its samples by."""
        return list(dict.fromkeys(self._label(prompt) for prompt in prompts))

    def _label(self, prompt: Prompt) -> Label:
        return prompt.target, prompt.source if prompt.source is not None else self.domain.card.neutral

    def directions(self, labels: Sequence[Label]) -> Tensor:
        """Unit target minus unit source of every label in CLIP's space, [labels, d]."""
        both = torch.stack([self.embed_text(text) for label in labels for text in label])
        return F.normalize(both, dim=-1).unflatten(0, (-1, 2)).diff(dim=1)[:, 0].neg()

    # -- editing -----------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """Change one number of the condition; the normal space is entered once for all strengths."""
        if not any(strengths):
            return [latents for _ in strengths]
        if refusal := self.refusal(prompt):
            raise UserError(f"prompt {prompt.words!r}: {refusal}")
        source = self.in_space(latents, "w+")
        network, steps = self.network.to(source.codes.device), self.values.solver_steps
        own = self._own_conditions(source).to(source.codes)
        normal = network(source.codes, own, steps=steps)
        column, change, rows = self._asked(own, prompt)
        edits = []
        for strength in strengths:
            if not strength:
                edits.append(latents)
                continue
            asked = own.clone()
            asked[:, column] += strength * change
            codes = source.codes.clone()
            codes[:, rows] = network(normal, asked, reverse=True, steps=steps)[:, rows]
            edits.append(source.with_codes(codes))
        return edits

    def _asked(self, own: Tensor, prompt: Prompt) -> tuple[int, Tensor, slice]:
        """Number of the condition, what is added to it at strength 1 [B], and the rows that follow."""
        network = self.network
        if network.labels:
            column = network.labels.index(self._label(prompt))
            return column, self.values.target - own[:, column], slice(None)
        asked = asked_for(prompt.words)
        assert asked is not None  # it would have been refused
        return asked.column, asked.degree * (asked.value - own[:, asked.column]), asked.rows

    def _own_conditions(self, latents: Latents) -> Tensor:
        """What the pictures of W+ codes show now, [B, context]."""
        from textedit_bench.training.samples import look

        if not (network := self.network).labels:
            ids = latents.ids or (None,) * len(latents)
            return sent(conditions_of(self._conditions, ids, self.values.contexts), latents.codes.device)
        scores = look(self.domain, latents.codes) @ self.directions(network.labels).T
        return (scores - network.label_mean) / network.label_std

    @cached_property
    def _conditions(self) -> dict[str, Tensor]:
        return read_conditions(self.values.contexts)

    # -- weights and training ----------------------------------------------------------------------------------------
    def given_files(self) -> tuple[Path, ...]:
        """Return the file of conditions, if one is named; an error if there is no such file."""
        return self.given_file("contexts")

    def check_fits(self, network: ConditionalFlow, source: str) -> None:
        """Refuse a flow of another generator, and one of a condition that nobody knows."""
        if network.dim != (width := self.domain.generator.w_dim):
            raise UserError(f"{source}: a flow of codes of width {network.dim}; {self.domain.name} has {width}")
        if not network.labels and network.context != WIDTH:
            raise UserError(f"{source}: a condition of {network.context} numbers; the authors' has {WIDTH}")

    def new_network(self) -> ConditionalFlow:
        """An untrained flow, told a score for each of the `labels`."""
        width = self.domain.generator.w_dim
        return ConditionalFlow(width, [width] * self.values.layers, len(self.labels), labels=self.labels)
