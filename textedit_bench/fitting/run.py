"""Run Lightning's fit, and convert its outcomes to our exceptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from textedit_bench import stopping
from textedit_bench.fitting.checkpoints import KeepWhenStopped


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
