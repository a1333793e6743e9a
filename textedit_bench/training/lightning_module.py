"""The Lightning module of all trainable editors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from textedit_bench.finite import FiniteWatch
from textedit_bench.training.data import Batch, stream

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


class EditorModule(pl.LightningModule):
    """Trains one network on a domain whose networks stay frozen and outside the checkpoint.

    A subclass implements `terms`, and `preview` where it wants validation pictures.

    Args:
        network: what is trained; the only part with parameters.
        domain: held as a plain attribute, so none of its networks enters ``state_dict``.
        weights: term -> weight in the loss; terms that have none are only logged.
        learning_rate: of the optimiser.
        optimizer: its class, with its defaults otherwise.
        milestones: epochs, counted from 1, after which the rate is multiplied by ``milestone_factor``.
        milestone_factor: see there.
        total_steps, final_rate: over ``total_steps`` steps the rate falls along a cosine to ``final_rate`` times its
            start; 1 keeps it constant.
        warmup_steps: optimiser steps over which the rate rises linearly from nothing.
        ema_decay: decay per step of the averaged weights that validation and the final network use; 0 for none.
        seed: of `step_stream`.
    """

    def __init__(
        self,
        network: nn.Module,
        domain: Domain,
        *,
        weights: Mapping[str, float] | None = None,
        learning_rate: float,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        milestones: Sequence[int] = (),
        milestone_factor: float = 0.5,
        total_steps: int = 1,
        final_rate: float = 1.0,
        warmup_steps: int = 0,
        ema_decay: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.domain = domain
        self.weights = dict(weights or {})
        self.learning_rate, self.warmup_steps, self.seed = learning_rate, warmup_steps, seed
        self.new_optimizer = optimizer
        self.milestones, self.milestone_factor = tuple(milestones), milestone_factor
        self.total_steps, self.final_rate = total_steps, final_rate
        self._watches = {stage: FiniteWatch(stage) for stage in ("training", "validation")}
        self.average: AveragedModel | None = None
        self._followed: bool | None = None
        if ema_decay > 0:
            self.average = AveragedModel(network)
            self._average_step = get_ema_multi_avg_fn(ema_decay)
            self.average.requires_grad_(False)  # several processes would wait for its gradients

    @abstractmethod
    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute the unweighted terms of the loss on a batch, by name; scalars."""

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Compute the loss: the weighted sum of the terms."""
        return torch.stack([self.weights[name] * value for name, value in terms.items() if name in self.weights]).sum()

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Return validation edits: column titles and images [rows, columns, 3, H, W] in [-1, 1]; None for none."""
        return None

    def trained_network(self) -> nn.Module:
        """The network to keep: the averaged one if there is one."""
        return self.network if self.average is None else self.average.module

    def step_stream(self) -> torch.Generator:
        """Return a random generator for the step, seeded by seed, rank and step, so that resuming changes nothing."""
        return stream("training step", self.seed, self.global_rank, self.global_step)

    def on_fit_start(self) -> None:
        """Move the frozen networks to this process's device."""
        if torch.device(self.domain.device) != self.device:
            self.domain.move(self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Run one step; log every term."""
        terms = self.terms(self.network, batch)
        loss = self.total(terms)
        self._log("training", terms, loss, batch)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Compute the same terms on held-out codes, with the network that would be kept."""
        terms = self.terms(self.trained_network(), batch)
        self._log("validation", terms, self.total(terms), batch)

    def on_validation_epoch_end(self) -> None:
        """Discard an epoch in which a term was not finite."""
        for watch in self._watches.values():
            watch.check()

    def _log(self, stage: str, terms: dict[str, Tensor], loss: Tensor, batch: Batch) -> None:
        self._watches[stage].note(self.trainer.fit_loop.total_batch_idx + 1, {**terms, "loss": loss})
        values = {f"{stage}/{name}": value.detach() for name, value in {**terms, "loss": loss}.items()}
        validating = stage == "validation"
        # The mean over all processes, each of which has an equal share of the batch: the curve of one process alone.
        self.log_dict(
            values, on_step=not validating, on_epoch=validating, batch_size=len(batch["codes"]), sync_dist=True
        )

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Update the averaged weights."""
        if self.average is not None:
            self._follow(self.average)

    @torch.no_grad()
    def _follow(self, average: AveragedModel) -> None:
        """Update the average like ``update_parameters``, which would synchronise the device at every step."""
        kept: list[Tensor] = list(average.module.parameters())
        new: list[Tensor] = list(self.network.parameters())
        if self._followed is None:
            self._followed = bool(average.n_averaged)
        if self._followed:
            self._average_step(kept, new, average.n_averaged)
        else:
            torch._foreach_copy_(kept, new)
        for mean, buffer in zip(average.module.buffers(), self.network.buffers(), strict=True):
            mean.copy_(buffer)
        average.n_averaged += 1
        self._followed = True

    def configure_optimizers(self) -> Any:
        """Create the optimiser, with milestones per epoch or a cosine per step."""
        optimizer = self.new_optimizer(self.network.parameters(), lr=self.learning_rate)
        schedules = []
        if self.milestones:
            steps = MultiStepLR(optimizer, list(self.milestones), self.milestone_factor)
            schedules.append({"scheduler": steps, "interval": "epoch"})
        if self.final_rate != 1.0:
            cosine = CosineAnnealingLR(optimizer, self.total_steps, self.learning_rate * self.final_rate)
            schedules.append({"scheduler": cosine, "interval": "step"})
        return [optimizer], schedules

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        """Run the optimiser, with a warm-up factor on the scheduled rate."""
        factor = min(1.0, (self.global_step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        rates = [group["lr"] for group in optimizer.param_groups]
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        optimizer.step(closure=optimizer_closure)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
