"""Where a run's curves go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger

from textedit_bench.errors import UserError


def make_logger(kind: str, folder: Path, run_name: str, config: Mapping[str, Any] | None = None) -> Logger:
    """``"csv"``: ``metrics.csv`` in ``folder``; ``"wandb"``: Weights & Biases, offline unless the user is logged in.

    Raises:
        UserError: wandb is asked for and not installed.
    """
    if kind == "csv":
        return CSVLogger(folder, name="", version="curves", flush_logs_every_n_steps=50)
    try:
        import wandb
    except ImportError as error:
        raise UserError("logger wandb: the package is missing; install it with: pip install wandb") from error
    from pytorch_lightning.loggers import WandbLogger

    offline = os.environ.get("WANDB_MODE") != "online" and not _logged_in(wandb)
    return WandbLogger(
        name=run_name, project="textedit-bench", save_dir=folder, offline=offline, config=dict(config or {})
    )


def _logged_in(wandb: object) -> bool:
    """Whether credentials are there, without asking for any."""
    if os.environ.get("WANDB_MODE") in ("offline", "disabled"):
        return False
    try:
        return bool(wandb.login(prompt=False))  # type: ignore[attr-defined]
    except Exception:  # no credentials, or no network to check them
        return False
