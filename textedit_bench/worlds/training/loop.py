"""One resumable Lightning run, for every network of a world."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader


class _Clock(pl.Callback):
    """Adds up the seconds of all pieces of a resumed run."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds + time.perf_counter() - self._start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds = state_dict["seconds"]
        self._start = time.perf_counter()


def run(module: pl.LightningModule, steps: int, folder: Path, every: int = 500, log_every: int = 100) -> dict[str, Any]:
    """Train to ``steps``, resuming from ``folder/last.ckpt`` where it exists.

    Returns:
        What the run cost: steps, seconds over all pieces, peak memory in MB; also written to ``folder/cost.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock()
    keep = ModelCheckpoint(folder, filename="step", every_n_train_steps=every, save_last=True, save_top_k=0)
    last = folder / "last.ckpt"
    trainer = pl.Trainer(
        max_steps=steps,
        max_epochs=-1,
        accelerator="cpu",
        callbacks=[keep, clock],
        logger=pl.loggers.CSVLogger(folder, name="", version=""),
        log_every_n_steps=log_every,
        enable_model_summary=False,
        gradient_clip_val=None,
    )
    # Batches are drawn from the step's number inside the module; the loader only counts.
    counter: DataLoader[int] = DataLoader(range(max(steps, 1)), batch_size=1)  # type: ignore[arg-type]
    trainer.fit(module, counter, ckpt_path=str(last) if last.is_file() else None, weights_only=False)
    trainer.save_checkpoint(last)
    cost = {
        "steps": trainer.global_step,
        "seconds": round(clock.state_dict()["seconds"], 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    (folder / "cost.json").write_text(json.dumps(cost, indent=1))
    return cost
