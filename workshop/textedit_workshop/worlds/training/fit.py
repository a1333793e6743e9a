"""The training loop of all networks: Lightning, with progress, checkpoints and exact resumption."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from textedit_bench.finite import DivergedError, FiniteWatch
from textedit_bench.fit import WholeCheckpoints
from textedit_bench.fit import fit as run
from textedit_bench.models.state_dicts import load_exactly
from textedit_bench.models.storage import read_tensors

_log = logging.getLogger(__name__)
Batch = Any


@dataclass(frozen=True)
class Plan:
    """Duration and location of a training.

    Attributes:
        steps: optimiser steps.
        folder: checkpoints; training goes on from the newest.
        seed: of initial weights, batches and augmentation.
        learning_rate: peak of a warm-up of 5 % and a cosine decay to zero.
        weight_decay: of AdamW, on weight matrices only.
        checkpoint_every: steps between checkpoints.
        initial: weights to start from (a file of `save_network`) instead of random ones.
    """

    steps: int
    folder: Path
    seed: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    checkpoint_every: int = 250
    initial: Path | None = None

    def prepare(self, network: nn.Module) -> None:
        """Load initial weights, if there are any, into an untrained network."""
        if self.initial is not None:
            # Values stored in addition to the parameters (the mean of W) follow from them and are computed at the end.
            beside = getattr(network, "extra_tensors", {})
            state = {name: t for name, t in read_tensors(self.initial)[0].items() if name not in beside}
            load_exactly(network, state, source=str(self.initial))


class Batches(IterableDataset[Batch]):
    """Batches as a pure function of the step, so that a resumed training gets the same ones."""

    def __init__(self, make: Callable[[int], Batch], start: int, stop: int) -> None:
        self.make, self.start, self.stop = make, start, stop

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self.start, self.stop):
            yield self.make(step)


class Trained(pl.LightningModule):
    """Base class of the modules: optimiser and schedule; a subclass adds ``training_step``."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up and cosine decay."""
        decayed = [p for p in self.parameters() if p.requires_grad and p.ndim > 1]
        plain = [p for p in self.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": self.plan.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.plan.learning_rate, betas=(0.9, 0.98))
        warm = max(1, self.plan.steps // 20)

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            progress = torch.tensor((step - warm) / max(1, self.plan.steps - warm) * torch.pi)
            return float(0.5 * (1.0 + torch.cos(progress)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Clock(Callback):
    """Wall time of training over all resumptions."""

    def __init__(self) -> None:
        self.before = 0.0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.before = float(state_dict["seconds"])


class _Lines(Callback):
    """Prints occasional plain lines, for logs and for output that is not a terminal."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.started = time.monotonic()
        self.first: int | None = None

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        step = trainer.global_step
        if self.first is None:
            self.first, self.started = step, time.monotonic()
        if step % self.every == 0 and step > self.first:
            figures = " ".join(f"{k} {float(v):.4f}" for k, v in trainer.callback_metrics.items())
            pace = (time.monotonic() - self.started) / (step - self.first)
            left = pace * (trainer.max_steps - step) / 60
            print(
                f"step {step}/{trainer.max_steps} {figures} ({pace * 1000:.0f} ms/step, {left:.1f} min left)",
                flush=True,
            )


class _Finite(Callback):
    """Stops at the first loss that is not finite."""

    def __init__(self) -> None:
        self.watch = FiniteWatch("training")

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        self.watch.note(trainer.global_step, {"loss": outputs["loss"] if isinstance(outputs, dict) else outputs})

    def on_train_end(self, *_: Any) -> None:
        self.watch.check()


def fit(module: Trained, make_batch: Callable[[int], Batch], plan: Plan, *, progress_bar: bool = False) -> float:
    """Train to ``plan.steps`` and return the wall time in seconds, all resumptions together.

    Args:
        module: what trains; its weights are modified.
        make_batch: the batch of a step.
        plan: length and place.
        progress_bar: a bar for terminals; lines otherwise.

    Raises:
        DivergedError: the loss became nan or infinite; the last checkpoint is from before.
        KeyboardInterrupt: a signal stopped the training, which goes on from its checkpoint.
    """
    newest = newest_checkpoint(plan.folder)
    start = int(newest.stem.rpartition("=")[2]) if newest else 0
    for older in set(plan.folder.glob("step=*.ckpt")) - {newest}:  # Lightning forgets those that a signal left
        older.unlink()
    clock = _Clock()
    saver = ModelCheckpoint(
        plan.folder,
        filename="{step:08d}",
        every_n_train_steps=plan.checkpoint_every,
        save_top_k=1,
        monitor="step",
        mode="max",
    )
    reporter: list[Callback] = [TQDMProgressBar()] if progress_bar else [_Lines(max(1, min(100, plan.steps // 4)))]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        trainer = pl.Trainer(
            max_steps=plan.steps,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_progress_bar=progress_bar,
            enable_model_summary=False,
            gradient_clip_val=1.0,
            callbacks=[_Finite(), saver, clock, *reporter],
            plugins=[WholeCheckpoints()],
        )
        batches = DataLoader(Batches(make_batch, start, plan.steps), batch_size=None)
        try:
            run(
                trainer,
                module,
                batches,
                ckpt_path=str(newest) if newest else None,
                stopped_at=lambda trainer: plan.folder / f"step={trainer.global_step:08d}.ckpt",
            )
        except KeyboardInterrupt:
            _log.warning("stopped at step %d; the same command goes on from %s", trainer.global_step, plan.folder)
            raise
        except DivergedError as error:
            raise DivergedError(f"{error}; checkpoints from before: {plan.folder}. A lower rate may help") from error
    return clock.seconds


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint with the most steps, or None."""
    found = sorted(folder.glob("step=*.ckpt"))
    return found[-1] if found else None


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable and frozen parameters of a network."""
    return sum(p.numel() for p in network.parameters())
