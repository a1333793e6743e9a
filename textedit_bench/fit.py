"""Run Lightning's fit: checkpoints are atomic and never hold weights that are not finite; a signal stops it."""

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
    """Lightning's files, written in their folder: Lightning itself copies if /tmp is another disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint atomically; a kill or a full disk leaves the previous one."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, lambda temporary: torch.save(checkpoint, temporary))


class KeepWhenStopped(pl.Callback):
    """Lets a step finish before a signal stops the run, and saves the state.

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
        """Restore the SIGTERM handler that Lightning has replaced."""
        stopping.take_back()
        self._kept = trainer.global_step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Stop between steps, when averages are up to date, or start the next step."""
        self._between_steps = True
        stopping.allow()
        self._between_steps = False
        if trainer.world_size == 1:
            stopping.postpone()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        """Save the state if it is consistent and not in a checkpoint yet."""
        if self._between_steps and trainer.world_size == 1 and trainer.global_step > self._kept:
            trainer.save_checkpoint(self.place(trainer))

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Refuse to save weights that are not finite.

        Raises:
            DivergedError: a weight is nan or infinite; what was kept before stays.
        """
        weights = dict(module.named_parameters())
        finite = torch.stack([weight.isfinite().all() for weight in weights.values()]) if weights else torch.ones(1)
        if not finite.all():
            name = list(weights)[int(finite.int().argmin())]
            raise DivergedError(f"stopped after step {trainer.global_step}: the weights {name} are not finite")
        self._kept = trainer.global_step


def fit(trainer: pl.Trainer, *given: Any, stopped_at: Callable[[pl.Trainer], Path], **options: Any) -> None:
    """Run ``trainer.fit``.

    Args:
        trainer: Lightning's.
        given, options: what its ``fit`` takes.
        stopped_at: where the checkpoint of a run goes that a signal stops.

    Raises:
        KeyboardInterrupt: a signal came; Lightning alone would end the process with exit code 0 or 1.
        DivergedError: weights that were to be kept are not finite.
    """
    trainer.callbacks.append(KeepWhenStopped(stopped_at))  # type: ignore[attr-defined]
    try:
        trainer.fit(*given, **options)
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    finally:
        stopping.allow()
