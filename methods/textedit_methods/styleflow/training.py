"""Train the flow by the likelihood of samples of W under the scores of their pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import EditorModule, RunOptions
from textedit_bench.training.data import Batch, stream
from textedit_bench.training.planned import planned_data, planned_rates
from textedit_bench.training.samples import seen_samples
from textedit_methods.styleflow.network import MovingNorm

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.styleflow.method import StyleFlow

_VALIDATION_SAMPLES = 256


def plan_training(editor: StyleFlow, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """One run over samples of the generator, labelled by the guiding CLIP.

    Raises:
        UserError: no prompts, or a score that all samples share.
    """
    if prompts is not None:
        editor.labels = editor.labels_of(prompts)
    values, domain, labels = editor.values, editor.domain, editor.labels
    if not labels:
        raise UserError(f"prompts: none given, and {domain.name}, tier {domain.tier}, has no trained prompt")
    samples = seen_samples(domain, values.samples, run.seed)
    scores = samples.seen @ editor.directions(labels).cpu().T
    std, mean = torch.std_mean(scores, dim=0)
    if not (std > 0).all():
        raise UserError(f"prompts: all samples look alike to CLIP by {labels[int(std.argmin())][0]!r}")
    network = editor.seeded_network(run.seed)
    network.label_mean.copy_(mean)
    network.label_std.copy_(std)
    first = network.chain[0]
    if isinstance(first, MovingNorm):  # ours: a short run would spend its time on finding these
        first.running_mean.copy_(samples.codes.mean(0))
        first.running_var.copy_(samples.codes.var(0))
    contexts = (scores - mean) / std
    codes, beside = samples.codes[:, None], lambda index, _: {"context": contexts[index]}
    data, epochs = planned_data(codes, values, run, _VALIDATION_SAMPLES, fewer=True, beside=beside)
    options = {"weights": {"likelihood": 1.0}, **planned_rates(values, run)}
    blur = values.blur * float(samples.codes.std(0).mean())
    module = FlowTraining(network, domain, solver_steps=values.training_solver_steps, blur=blur, **options)
    return TrainingPlan(module, data, epochs, learnt_from={"labels": labels})


def likelihood_term(z: Tensor, change: Tensor) -> Tensor:
    """Minus the mean log density of codes, per number of a code (as published, but for that division).

    Args:
        z: what the flow makes of them, [B, rows, dim].
        change: minus the log determinant, [B, rows, 1].
    """
    normal = -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1, keepdim=True)
    return -(normal - change).mean() / z.shape[-1]


class FlowTraining(EditorModule):
    """The likelihood of a batch of codes under their conditions; rows of a sample are equal, so one stands for all.

    Args:
        network, domain: the flow, and whose W it is.
        solver_steps: of the integration.
        blur: deviation of normal noise on the codes.
        options: of `EditorModule`.
    """

    def __init__(self, network: nn.Module, domain: Domain, *, solver_steps: int, blur: float, **options: Any) -> None:
        super().__init__(network, domain, **options)
        self.solver_steps, self.blur = solver_steps, blur

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The only one; the divergence is estimated with one draw per code, in validation always the same."""
        codes = batch["codes"]
        draws = self.step_stream() if self.training else stream("validation", self.seed)
        blur, noise = (sent(torch.randn(codes.shape, generator=draws), codes.device) for _ in range(2))
        z, change = network(codes + self.blur * blur, batch["context"], noise=noise, steps=self.solver_steps)
        return {"likelihood": likelihood_term(z, change)}
