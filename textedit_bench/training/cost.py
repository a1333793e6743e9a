"""Record the cost of a training: seconds and peak memory, over all resumptions."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from textedit_bench.files import write_text

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there, KiB elsewhere


class CostRecorder(pl.Callback):
    """Writes ``cost.json`` into the run's folder at every validation and at the end.

    Seconds count from the start of fitting and include validation; those of earlier pieces of a resumed run are in the
    checkpoint. ``rss_bytes`` is the peak of the process, ``device_bytes`` that of the accelerator's allocations.
    """

    def __init__(self, folder: Path, preparation_seconds: float = 0.0) -> None:
        self.folder = folder
        self.seconds_before = preparation_seconds
        self._began = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far, for the checkpoint."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from the seconds of a checkpoint."""
        self.seconds_before += state["seconds"]

    @property
    def seconds(self) -> float:
        """Seconds of preparation and training so far."""
        return self.seconds_before + time.monotonic() - self._began

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the timer."""
        self._began = time.monotonic()
        if module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(module.device)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write the cost so far."""
        self._write(trainer, module)

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write the total cost."""
        self._write(trainer, module)

    def _write(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        cuda = module.device.type == "cuda"
        cost = {
            "seconds": round(self.seconds, 2),
            "steps": trainer.global_step,
            "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
            "device_bytes": torch.cuda.max_memory_allocated(module.device) if cuda else 0,
            "device": torch.cuda.get_device_name(module.device) if cuda else str(module.device),
            "processes": trainer.world_size,
            "threads": torch.get_num_threads(),
        }
        write_text(self.folder / "cost.json", json.dumps(cost, indent=2) + "\n")
