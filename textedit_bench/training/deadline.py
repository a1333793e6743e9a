"""Stop a run cleanly after a number of minutes."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl


class Deadline(pl.Callback):
    """Stops at the first epoch's end after ``minutes`` of this part of a run (Lightning's timer counts all parts)."""

    def __init__(self, minutes: float) -> None:
        self.ends = time.monotonic() + 60 * minutes

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ask the trainer to stop when the time is up."""
        if time.monotonic() >= self.ends:
            trainer.should_stop = True
