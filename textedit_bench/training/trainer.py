"""Create Lightning's trainer on the named devices, and find this process's rank."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from textedit_bench.devices import TF32
from textedit_bench.errors import UserError
from textedit_bench.training.options import RunOptions


def own_device(device: str, options: RunOptions) -> str:
    """Return the device of this process: each of several that share ``cuda`` has its own GPU from the start.

    Raises:
        UserError: one device was named and several were requested.
    """
    if not device.startswith("cuda") or (options.alone and not isinstance(options.devices, (list, tuple))):
        return device
    if device != "cuda":
        raise UserError(f"device {device!r} is one card, devices {options.devices!r} are others; valid: --device cuda")
    local = 0 if options.alone else int(os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")))
    cards = options.devices if isinstance(options.devices, (list, tuple)) else range(local + 1)
    return f"cuda:{cards[local]}"


def leads(options: RunOptions) -> bool:
    """Whether this process writes the run's files: the first or only one, in any kind of job."""
    return options.alone or getattr(rank_zero_only, "rank", 0) in (None, 0)


@contextmanager
def its_rank(options: RunOptions) -> Iterator[None]:
    """Give the only process of a run rank 0 in Lightning.

    Inside a job of several processes Lightning takes its rank from the job's variables, and would write nothing.
    """
    before = getattr(rank_zero_only, "rank", None)
    if options.alone:
        rank_zero_only.rank = 0  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if options.alone:
            rank_zero_only.rank = before  # type: ignore[attr-defined]


def make_trainer(device: torch.device, options: RunOptions, *, players: int = 1, **given: Any) -> pl.Trainer:
    """Create Lightning's trainer.

    Args:
        device: of the domain; its GPU is used if the options name none.
        options: how to run.
        players: networks that take turns; each then leaves the others' parameters without gradients.
        given: further arguments of Lightning's trainer.

    Raises:
        UserError: Lightning cannot run on these devices, by this strategy or in this precision.
    """
    devices, strategy = options.devices, options.strategy
    if options.alone and device.type == "cuda" and device.index is not None:
        devices = [device.index]
    if players > 1 and options.several and strategy in ("auto", "ddp"):
        strategy = "ddp_find_unused_parameters_true"
    if options.alone:  # else Lightning would compare the run with the job it is part of
        given["plugins"] = [*given.get("plugins", ()), LightningEnvironment()]
    try:
        return pl.Trainer(
            accelerator={"cpu": "cpu", "cuda": "gpu"}.get(device.type, "auto"),
            devices=devices,
            num_nodes=options.num_nodes,
            strategy=strategy,
            precision="32-true" if options.precision == TF32 else options.precision,  # type: ignore[arg-type]
            **given,
        )
    except (MisconfigurationException, ImportError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"devices {options.devices!r}, num_nodes {options.num_nodes}, strategy {options.strategy!r}, precision "
            f"{options.precision!r} cannot be used on {device}: {error}"
        ) from error
