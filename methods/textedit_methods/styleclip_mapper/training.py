"""Training of mappers: independent networks, one per phrase, that share batches of codes and rendering passes.

Ranger is the optimiser of the released trainer: rectified Adam, lookahead and centred gradients in one. Sources: Liu et
al. 2020 (RAdam), arXiv 1908.03265, alg. 2; Zhang et al. 2019 (lookahead), arXiv 1907.08610, alg. 1; Yong et al. 2020
(gradient centralisation), arXiv 2004.01461, eq. 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.models.batches import images_at_once
from textedit_bench.per_prompt import normalised
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import EditorModule, LatentData, RunOptions, loss_weights, training_codes
from textedit_bench.training.data import Batch
from textedit_methods.styleclip_mapper.card import CARD
from textedit_methods.styleclip_mapper.network import STEP, StyleMapper

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing
    from textedit_methods.styleclip_mapper.method import StyleCLIPMapper

_PREVIEW_PHRASES = 10


def plan_training(editor: StyleCLIPMapper, run: RunOptions, prompts: Sequence[Prompt]) -> TrainingPlan:
    """One run for some phrases; each one's first weights do not depend on its company."""
    values, domain = editor.values, editor.domain
    phrases = [normalised(prompt.words) for prompt in prompts]
    codes = training_codes(domain, values.codes, values.num_codes, run.seed, run.folder / "codes")
    held_out = min(values.validation_codes, len(codes) // 4)
    per_epoch = min(values.steps_per_validation, values.steps)
    epochs = -(-values.steps // per_epoch)
    module = MapperTraining(
        nn.ModuleList(editor.seeded_network(run.seed) for _ in phrases),
        domain,
        codes=codes,
        texts={phrase: editor.embed_text(phrase) for phrase in phrases},
        clip_preprocessing=values.clip_preprocessing,
        preview_codes=codes[len(codes) - held_out :][: run.preview_images],
        weights=loss_weights(CARD.name, editor.settings, domain, {"identity": "identity"}),
        optimizer=Ranger if values.optimizer == "ranger" else torch.optim.Adam,
        learning_rate=values.learning_rate,
        total_steps=epochs * per_epoch,
        final_rate=values.final_rate,
        seed=run.seed,
    )
    data = LatentData(
        codes, batch_size=values.batch_size, steps_per_epoch=per_epoch, validation=held_out, seed=run.seed
    )
    return TrainingPlan(module, data, epochs, learnt_from={"phrases": phrases})


def clip_term(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Mean cosine distance of images [..., d] to their text [..., d] (broadcast); vectors of any length."""
    return (1 - F.cosine_similarity(image_features, text_features, dim=-1)).mean()


def identity_term(source: Tensor, edited: Tensor) -> Tensor:
    """Mean of one minus the inner product of unit identity vectors [..., d]; no gradient to the source."""
    return (1 - (source.detach() * edited).sum(dim=-1)).mean()


def latent_term(step: Tensor, widths: Sequence[int] | None = None) -> Tensor:
    """Mean square of the step that is added to the code, the factor 0.1 included.

    A MEAN over the elements, where StyleCLIP's optimisation sums them.

    Args:
        step: [..., rows, d] of W+, or styles [..., sum of widths].
        widths: of the style vectors: the mean is taken within every vector, and these means are summed.
    """
    if widths is None:
        return step.square().mean()
    return torch.stack([part.square().mean() for part in step.split(list(widths), dim=-1)]).sum()


class MapperTraining(EditorModule):
    """The loss of StyleCLIP's mapper, for several phrases at a time.

    Every mapper sees the same codes; their edits are rendered and embedded together. The loss is the SUM over the
    mappers, so each gets exactly the gradient it would get alone.

    Args:
        network: the mappers, one per phrase.
        domain: frozen generator, CLIP and identity network.
        codes: every code of the data module [M, rows, d].
        texts: phrase -> raw CLIP embedding [d].
        clip_preprocessing: how images reach CLIP; ``"published"`` or ``"correct"``.
        preview_codes: codes whose edits are drawn, [n, rows, d].
        options: of `EditorModule`; a term of weight 0 costs nothing.
    """

    def __init__(
        self,
        network: nn.ModuleList,
        domain: Domain,
        *,
        codes: Tensor,
        texts: Mapping[str, Tensor],
        clip_preprocessing: Preprocessing,
        preview_codes: Tensor,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        first: Any = network[0]
        self.space, self.widths = first.space, first.widths if isinstance(first, StyleMapper) else None
        self.clip_preprocessing, self.preview_codes = clip_preprocessing, preview_codes
        self.codes, self.texts, self.titles = codes.cpu(), torch.stack([*texts.values()]).cpu(), list(texts)

    def on_fit_start(self) -> None:
        """Identity vectors of the unedited images, computed once for all steps and prompts."""
        super().on_fit_start()
        self._texts_here = self.texts.to(self.device)
        self._identities = self._describe() if self.weights["identity"] else None

    @torch.no_grad()
    def _describe(self) -> Tensor:
        parts = self.codes.split(images_at_once(self.domain.generator.resolution))
        synthesize, embed = self.domain.generator.synthesize, self.domain.identity.embed
        return torch.cat([embed(synthesize(sent(part, self.device))) for part in parts])

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
        if self.weights["clip"]:
            features = self.domain.clip.encode_image(flat, preprocessing=self.clip_preprocessing)
            terms["clip"] = clip_term(features.unflatten(0, count), self._texts_here[:, None])
        if self._identities is not None:
            before = self._identities[batch["index"]]
            terms["identity"] = identity_term(before, self.domain.identity.embed(flat).unflatten(0, count))
        if self.weights["latent"]:
            terms["latent"] = latent_term(steps, self.widths)
        return terms

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


class Ranger(torch.optim.Optimizer):
    """The optimiser with StyleCLIP's constants, without weight decay.

    Args:
        params: parameters or groups of them.
        lr: step size.
    """

    BETAS = 0.95, 0.999
    """Decay of the first and second moment."""
    EPS = 1e-5
    """Added to the root of the second moment before the bias correction, so early it acts as a larger one."""
    LOOKAHEAD_STEPS, LOOKAHEAD_RATE = 6, 0.5
    """Fast steps between two updates of the slow weights, and how far these move towards the fast ones."""
    RECTIFY_ABOVE = 5.0
    """Length of the approximated average up to which the step is the first moment alone."""

    def __init__(self, params: Iterable[Any], lr: float = 0.5) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; returns the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"])
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["slow"] = parameter.clone()
        if gradient.ndim > 1:
            gradient = gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)
        first, second = self.BETAS
        state["step"] += 1
        step: int = state["step"]
        state["mean"].mul_(first).add_(gradient, alpha=1 - first)
        state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        rate = rate / (1 - first**step)
        rectification = self._rectification(step)
        if rectification is None:
            parameter.add_(state["mean"], alpha=-rate)
        else:
            parameter.addcdiv_(state["mean"], state["square"].sqrt().add_(self.EPS), value=-rate * rectification)
        if step % self.LOOKAHEAD_STEPS == 0:
            state["slow"].lerp_(parameter, self.LOOKAHEAD_RATE)
            parameter.copy_(state["slow"])

    def _rectification(self, step: int) -> float | None:
        """Variance rectification times the second moment's bias correction; None while the average is too short."""
        decay = self.BETAS[1]
        power = decay**step
        longest = 2 / (1 - decay) - 1
        length = longest - 2 * step * power / (1 - power)
        if length <= self.RECTIFY_ABOVE:
            return None
        spread = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
        return math.sqrt((1 - power) * spread)
