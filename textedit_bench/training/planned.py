"""Plan the batches and rates of a training by the settings that trained methods share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from textedit_bench.settings import MethodSettings
from textedit_bench.training.data import LatentData, split_steps
from textedit_bench.training.options import RunOptions
from textedit_bench.training.ranger import Ranger

_RATES = ("learning_rate", "final_rate", "warmup_steps", "ema_decay")


def planned_data(
    codes: Tensor, values: MethodSettings, run: RunOptions, validation: int = 0, *, fewer: bool = False, **options: Any
) -> tuple[LatentData, int]:
    """Return the batches of ``steps`` steps, which validate every ``steps_per_validation``, and their epochs.

    Args:
        codes: [M, rows, d].
        values: the settings; ``batch_size`` is one.
        run: its seed is that of order and draws.
        validation: codes held out, a quarter of them at most; 0: as many as ``validation_codes`` says.
        fewer: shrink the batch to the codes that are left.
        options: of `LatentData`.
    """
    given: Any = values
    per_epoch, epochs = split_steps(given.steps, given.steps_per_validation)
    held_out = min(validation or given.validation_codes, len(codes) // 4)
    size = min(given.batch_size, len(codes) - held_out) if fewer else given.batch_size
    options |= {"steps_per_epoch": per_epoch, "validation": held_out, "seed": run.seed}
    return LatentData(codes, batch_size=size, **options), epochs


def planned_rates(values: MethodSettings, run: RunOptions) -> dict[str, Any]:
    """Return the seed and the options of `EditorModule` that settings of the same names give."""
    given: Any = values
    rates = {name: getattr(values, name) for name in _RATES if hasattr(values, name)}
    if hasattr(values, "final_rate"):
        per_epoch, epochs = split_steps(given.steps, given.steps_per_validation)
        rates["total_steps"] = per_epoch * epochs
    if hasattr(values, "optimizer"):
        rates["optimizer"] = Ranger if given.optimizer == "ranger" else torch.optim.Adam
    return {**rates, "seed": run.seed}
