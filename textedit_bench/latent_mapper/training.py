"""Train mappers: independent networks, one per phrase, that share batches of codes and rendering passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.latent_mapper.network import STEP, StyleMapper
from textedit_bench.per_prompt import normalised
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import RunOptions, loss_weights, training_codes
from textedit_bench.training.code_module import CodeModule
from textedit_bench.training.data import Batch
from textedit_bench.training.planned import planned_data, planned_rates

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.latent_mapper.editor import MapperEditor

_PREVIEW_PHRASES = 10


def plan_mappers(
    editor: MapperEditor[Any],
    run: RunOptions,
    prompts: Sequence[Prompt],
    loss: type[MapperTraining] | None = None,
    learnt_from: Mapping[str, Any] | None = None,
    **more: Any,
) -> TrainingPlan:
    """One run for some phrases; each one's first weights do not depend on its company.

    Args:
        editor: whose settings and networks.
        run: how.
        prompts: one mapper each.
        loss: `MapperTraining` if None.
        learnt_from: what decides the outcome besides the phrases.
        more: for the loss.
    """
    values, domain = editor.values, editor.domain
    phrases = [normalised(prompt.words) for prompt in prompts]
    kept = run.folder / "codes"
    codes = training_codes(domain, values.codes, values.num_codes, run.seed, kept)
    data, epochs = planned_data(codes, values, run)
    module = (loss or MapperTraining)(
        nn.ModuleList(editor.seeded_network(run.seed) for _ in phrases),
        domain,
        codes=codes,
        texts={phrase: editor.embed_text(phrase) for phrase in phrases},
        clip_preprocessing=values.clip_preprocessing,
        preview_codes=codes[data.train_count :][: run.preview_images],
        keep_in=kept,
        keep_as=[editor.run_identity(), run.precision],
        weights=loss_weights(editor.info.name, editor.settings, domain, {"identity": "identity"}),
        **planned_rates(values, run),
        **more,
    )
    return TrainingPlan(module, data, epochs, learnt_from={"phrases": phrases, **(learnt_from or {})})


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """One minus the cosine of vectors [..., d] (broadcast) of any length, [...]."""
    return 1 - F.cosine_similarity(first, second, dim=-1)


def clip_term(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Mean cosine distance of images [..., d] to their text [..., d] (broadcast)."""
    return cosine_distance(image_features, text_features).mean()


def identity_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean of one minus the inner product of unit identity vectors [..., d]; no gradient to the source."""
    return (1 - (source.detach() * edited).sum(dim=-1)).mean()


def latent_term(step: Tensor, widths: Sequence[int] | None = None) -> Tensor:
    """Mean square of the step that is added to the code, the factor 0.1 included.

    A MEAN over the elements, where the optimisation of arXiv 2103.17249 sums them.

    Args:
        step: [..., rows, d] of W+, or styles [..., sum of widths].
        widths: of the style vectors: the mean is taken within every vector, and these means are summed.
    """
    if widths is None:
        return step.square().mean()
    return torch.stack([part.square().mean() for part in step.split(list(widths), dim=-1)]).sum()


class MapperTraining(CodeModule):
    """The loss of the mapper of arXiv 2103.17249, for several phrases at a time.

    Every mapper sees the same codes; their edits are rendered and embedded together. The loss is the SUM over the
    mappers, so each gets exactly the gradient it would get alone.

    Args:
        network: the mappers, one per phrase.
        domain, options: of `CodeModule`.
    """

    def __init__(self, network: nn.ModuleList, domain: Domain, **options: Any) -> None:
        super().__init__(network, domain, **options)
        first: Any = network[0]
        self.space, self.widths = first.space, first.widths if isinstance(first, StyleMapper) else None

    def edit(self, network: nn.Module, codes: Tensor) -> tuple[Tensor, Tensor]:
        """W+ codes [B, rows, d] -> images [P, B, 3, H, W] of every mapper's edit, and the steps [P, B, ...] taken."""
        generator = self.domain.generator
        source = generator.to_style(codes) if self.space == "s" else codes
        mappers: Any = network
        steps = torch.stack([STEP * mapper(source) for mapper in mappers])
        edited = (source + steps).flatten(0, 1)
        images = generator.synthesize_style(edited) if self.space == "s" else generator.synthesize(edited)
        return images.unflatten(0, steps.shape[:2]), steps

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """All terms of weight above 0; means over mappers and batch."""
        images, steps = self.edit(network, batch["codes"])
        count = images.shape[:2]
        flat = images.flatten(0, 1)
        terms: dict[str, Tensor] = {}
        if self.reads_features():
            terms |= self.feature_terms(self.embed(flat).unflatten(0, count), batch)
        if self.weights["identity"]:
            before = self.sources["identity"][batch["index"]]
            terms["identity"] = identity_term(before, self.domain.identity.embed(flat).unflatten(0, count))
        if self.weights["latent"]:
            terms["latent"] = latent_term(steps, self.widths)
        return terms

    def reads_features(self) -> bool:
        """Whether `feature_terms` has any."""
        return bool(self.weights["clip"])

    def feature_terms(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The terms that read CLIP's features [P, B, d] of the edited images."""
        return {"clip": clip_term(features, self._texts_here[:, None])}

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Weighted sum of the terms, summed over the mappers."""
        return len(self.texts) * super().total(terms)

    def preview(self) -> tuple[list[str], Tensor] | None:
        """The inversion and its edit by every phrase (at most ten)."""
        if len(self.preview_codes) == 0:
            return None
        codes = self.preview_codes.to(self.device)
        images, _ = self.edit(self.trained_network(), codes)
        columns = [self.domain.generator.synthesize(codes), *images[:_PREVIEW_PHRASES]]
        return ["inversion", *self.titles[:_PREVIEW_PHRASES]], torch.stack(columns, dim=1)
