"""Show progress of a training with the time left: a bar on a terminal, else occasional lines."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINE_EVERY_S = 30.0
_LOSS_EVERY_S = 1.0
"""Reading a loss waits for the device."""


class RunProgress(pl.Callback):
    """Counts optimiser steps over the whole run, so that the time left is that of the run, not of an epoch."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._began = self._last_line = 0.0
        self._first_step = 0

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the bar at the position of a resumed run."""
        self._began = self._last_line = time.monotonic()
        self._first_step = trainer.global_step
        if not trainer.is_global_zero:
            return
        console = Console(file=sys.stderr)
        if not console.is_terminal:
            self._line(trainer)
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("elapsed"),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[loss]}"),
        )  # fmt: skip
        self._bar = Progress(*columns, console=console)
        self._bar.start()
        total = trainer.estimated_stepping_batches
        self._task = self._bar.add_task(self.title, total=total, completed=trainer.global_step, loss="")

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Advance the bar."""
        if not trainer.is_global_zero:
            return
        if self._bar is not None:
            self._bar.update(self._task, completed=trainer.global_step)
            if time.monotonic() - self._last_line > _LOSS_EVERY_S:
                self._last_line = time.monotonic()
                self._bar.update(self._task, loss=_losses(trainer))
        elif time.monotonic() - self._last_line > _LINE_EVERY_S:
            self._line(trainer)

    def teardown(self, trainer: pl.Trainer, *_: Any, **__: Any) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif trainer.is_global_zero and self._began:
            self._line(trainer)

    def _line(self, trainer: pl.Trainer) -> None:
        self._last_line = time.monotonic()
        done, total = trainer.global_step, trainer.estimated_stepping_batches
        new, spent = done - self._first_step, self._last_line - self._began
        left = f", {spent / new * (total - done) / 60:.1f} min left" if new and done < total else ""
        print(f"{self.title}: step {done}/{int(total)}{left} {_losses(trainer)}".rstrip(), file=sys.stderr, flush=True)


def _losses(trainer: pl.Trainer) -> str:
    shown = ("training/loss", "validation/loss")
    found = {name: trainer.callback_metrics[name] for name in shown if name in trainer.callback_metrics}
    return ", ".join(f"{name} {float(value):.3f}" for name, value in found.items())
