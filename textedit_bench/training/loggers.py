"""Create the logger of a run's curves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytorch_lightning.loggers import CSVLogger, Logger

from textedit_bench.errors import UserError

HOST = "https://api.wandb.ai"


def make_logger(kind: str, folder: Path, run_name: str, config: Mapping[str, Any] | None = None) -> Logger:
    """Create ``"csv"``: ``metrics.csv`` in ``folder``; or ``"wandb"``: Weights & Biases, offline unless logged in.

    Raises:
        UserError: wandb is requested but not installed.
    """
    if kind == "csv":
        return CSVLogger(folder, name="", version="curves", flush_logs_every_n_steps=50)
    try:
        import wandb  # noqa: F401
    except ImportError as error:
        raise UserError("logger wandb: the package is missing; install it with: pip install wandb") from error
    from pytorch_lightning.loggers import WandbLogger

    offline = os.environ.get("WANDB_MODE") != "online" and not _logged_in()
    return WandbLogger(
        name=run_name, project="textedit-bench", save_dir=folder, offline=offline, config=dict(config or {})
    )


def _logged_in() -> bool:
    """Whether wandb has credentials.

    wandb itself is not queried: that would make it read its settings, after which a run cannot be offline.
    """
    if os.environ.get("WANDB_MODE", "online") != "online":
        return False
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or HOST).hostname or ""
    for path in (os.environ.get("NETRC"), "~/.netrc", "~/_netrc"):
        with suppress(OSError, NetrcParseError):  # no such file, or not one of that kind
            if path and netrc(os.path.expanduser(path)).authenticators(host):
                return True
    return False
