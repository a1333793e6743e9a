"""Checkpoints of a training: written whole or not at all, and never with weights that are not finite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from textedit_bench import stopping
from textedit_bench.files import write_atomically
from textedit_bench.finite import DivergedError


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's files, written beside their place: its own way copies where /tmp is another disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint; a kill or a full disk leaves the one that was there."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, lambda temporary: torch.save(checkpoint, temporary))


class KeepWhenStopped(pl.Callback):
    """Lets a step end before a signal stops the run, and keeps what was learnt up to there.

    The same holds for a validation and the checkpoints after it, which only make sense as a whole. A second signal
    stops at once, and then what the last checkpoint holds is kept.

    Args:
        place: where the checkpoint goes, of the trainer. In a run of several processes nothing is kept, since they are
            not at the same step, and each stops at once.
    """

    def __init__(self, place: Callable[[pl.Trainer], Path]) -> None:
        self.place = place
        self._between_steps = False
        self._kept = 0
        """Steps in the newest checkpoint."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Take SIGTERM back from Lightning."""
        stopping.take_back()
        self._kept = trainer.global_step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """The last step is whole, its averages included: stop here, or begin the next."""
        self._between_steps = True
        stopping.allow()
        self._between_steps = False
        if trainer.world_size == 1:
            stopping.postpone()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """Keep the state, where it is a whole one that no checkpoint holds."""
        if self._between_steps and trainer.world_size == 1 and trainer.global_step > self._kept:
            trainer.save_checkpoint(self.place(trainer))

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Refuse to keep weights from which nothing can be learnt any more.

        Raises:
            DivergedError: a weight is nan or infinite; what was kept before stays.
        """
        weights = dict(module.named_parameters())
        finite = torch.stack([weight.isfinite().all() for weight in weights.values()]) if weights else torch.ones(1)
        if not finite.all():
            name = list(weights)[int(finite.int().argmin())]
            raise DivergedError(f"stopped after step {trainer.global_step}: the weights {name} are not finite")
        self._kept = trainer.global_step
