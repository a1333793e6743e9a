"""Train PPE's mappers: StyleCLIP's loss, and the anchors' change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.latent_mapper.training import MapperTraining, plan_mappers
from textedit_bench.per_prompt import normalised
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import RunOptions
from textedit_bench.training.code_module import Describe
from textedit_bench.training.data import Batch
from textedit_methods.ppe.anchors import Anchors

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.ppe.method import PPE


def plan_training(editor: PPE, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """One run for some phrases, each with anchors of its own."""
    prompts = prompts or ()
    if not editor.values.entanglement_weight:
        return plan_mappers(editor, run, prompts)
    anchors = {normalised(prompt.words): editor.anchors(prompt) for prompt in prompts}
    learnt_from = {"anchors": {phrase: list(found.texts) for phrase, found in anchors.items()}}
    return plan_mappers(editor, run, prompts, PPETraining, learnt_from, anchors=anchors)


def entanglement_term(before: Tensor, after: Tensor) -> Tensor:
    """Mean squared change of the cosines of pictures and anchors [..., A]; no gradient to those before the edit."""
    return (after - before.detach()).square().mean()


def indicator(before: Tensor, after: Tensor, spans: Tensor) -> Tensor:
    """How far the anchors moved for one unit of the command; lower is better disentangled.

    By the guiding CLIP and the anchors that the training watched: never a judge.

    Args:
        before: cosines of pictures with the command (first) and its anchors, [..., 1 + A].
        after: likewise, of the edits.
        spans: how far each of them varies over the data, [1 + A].

    Source: Xu et al. 2022, sec. 3.3.
    """
    changes = ((before - after).flatten(0, -2).mean(0) / spans).abs()
    return changes[1:].mean() / changes[0].clamp(min=1e-12)


class PPETraining(MapperTraining):
    """The mapper's loss plus the entanglement loss of every phrase; validation also shows the indicator.

    Args:
        network, domain: as `MapperTraining`.
        anchors: phrase -> its anchors.
        options: of `MapperTraining`.
    """

    def __init__(
        self, network: nn.ModuleList, domain: Domain, *, anchors: Mapping[str, Anchors], **options: Any
    ) -> None:
        super().__init__(network, domain, **options)
        self.anchors = [anchors[phrase] for phrase in self.titles]

    def on_fit_start(self) -> None:
        """Bring the anchors to this process's device."""
        super().on_fit_start()
        texts = F.normalize(self._texts_here, dim=-1)
        self._watched = [
            (torch.cat([text[None], found.embeddings.to(text)]), found.spans.to(text))
            for text, found in zip(texts, self.anchors, strict=True)
        ]

    def descriptions(self) -> dict[str, Describe]:
        """Also what CLIP sees of the unedited images."""
        return {**super().descriptions(), "features": self.embed}

    def reads_features(self) -> bool:
        """Always: a loss without anchors is the plain mapper's."""
        return True

    def feature_terms(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The mapper's, and those of the anchors, means over the phrases."""
        terms = super().feature_terms(features, batch) if self.weights["clip"] else {}
        source = F.normalize(self.sources["features"][batch["index"]], dim=-1)
        edited = F.normalize(features, dim=-1)
        pairs = [(source @ texts.T, one @ texts.T) for one, (texts, _) in zip(edited, self._watched, strict=True)]
        terms["entanglement"] = torch.stack([entanglement_term(a[:, 1:], b[:, 1:]) for a, b in pairs]).mean()
        if not self.training:
            found = [indicator(a, b, spans) for (a, b), (_, spans) in zip(pairs, self._watched, strict=True)]
            terms["indicator"] = torch.stack(found).mean()
        return terms
