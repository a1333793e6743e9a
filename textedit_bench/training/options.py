"""Options of a training run that do not define what is trained."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from textedit_bench.data.destination import check_folder
from textedit_bench.devices import BF16, HIGHEST, TF32
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.ranges import MACHINE, check_whole

LOGGERS = ("csv", "wandb")
PRECISIONS = ("32-true", "32", "16-mixed", "bf16-mixed", "64-true", "64")
"""Lightning's names; those of `textedit_bench.devices` are understood too."""
_OURS = {HIGHEST: "32-true", TF32: TF32, BF16: "bf16-mixed"}


def _logger_from_environment() -> str:
    return os.environ.get("LOGGER") or "csv"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run; on the same hardware, only the seed affects the result.

    Attributes:
        devices: passed to Lightning: a count, a list, or ``"auto"``.
        num_nodes: machines, each with that many devices.
        strategy: passed to Lightning, such as ``"ddp"``.
        precision: ``"32-true"``, ``"16-mixed"``, ``"bf16-mixed"`` or ``"64-true"``; or ``"highest"`` (the first of
            them), ``"tf32"`` (the same, rounded as CUDA devices can), ``"bf16"``. Whole networks in half precision are
            refused, since frozen networks and attentions were not made for it.
        logger: ``"csv"``, or ``"wandb"`` (offline unless logged in); the environment's ``LOGGER`` by default.
        folder: parent of the run's folder.
        resume: go on from the run's last checkpoint; otherwise the run's folder is emptied first.
        seed: of the initial weights, the order of the codes and the draws.
        progress: show progress and time left.
        preview_images: photos in the validation picture grids; 0 writes none.
        stop_after_minutes: stop cleanly after that long, to be resumed later; 0 means never.
    """

    devices: Any = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    logger: str = field(default_factory=_logger_from_environment)
    folder: Path = Path("checkpoints")
    resume: bool = True
    seed: int = 0
    progress: bool = True
    preview_images: int = 6
    stop_after_minutes: float = 0.0

    def __post_init__(self) -> None:
        if self.logger not in LOGGERS:
            raise unknown_choice("logger", str(self.logger), LOGGERS)
        object.__setattr__(self, "precision", _OURS.get(self.precision, self.precision))
        if str(self.precision) not in (*PRECISIONS, TF32):
            raise unknown_choice("precision", str(self.precision), (*PRECISIONS, *_OURS))
        if isinstance(self.devices, str) and self.devices != "auto":
            object.__setattr__(self, "devices", _devices(self.devices))
        _check_devices(self.devices)
        _check_strategy(self.strategy)
        check_whole("num_nodes", self.num_nodes, low=1, below=MACHINE)
        check_whole("seed", self.seed, low=0, below=MACHINE)
        check_whole("preview_images", self.preview_images, low=0, below=MACHINE)
        if not (math.isfinite(self.stop_after_minutes) and self.stop_after_minutes >= 0):
            raise UserError(f"stop_after_minutes: {self.stop_after_minutes!r} is not valid; valid: numbers from 0")
        object.__setattr__(self, "folder", Path(self.folder))
        check_folder(self.folder, "folder")

    @property
    def alone(self) -> bool:
        """Whether a single process trains."""
        one = len(self.devices) == 1 if isinstance(self.devices, (list, tuple)) else self.devices == 1
        return one and self.num_nodes == 1

    @property
    def several(self) -> bool:
        """Whether several processes train; unknown in advance if the devices are ``"auto"`` or all."""
        return not self.alone and self.devices not in ("auto", -1)

    @classmethod
    def split(cls, options: Mapping[str, Any]) -> tuple[RunOptions, dict[str, Any]]:
        """Split ``options`` into options of the run, and settings of the method."""
        known = {f.name for f in fields(cls)}
        run = {name: value for name, value in options.items() if name in known and value is not None}
        return cls(**run), {name: value for name, value in options.items() if name not in known}


def _check_devices(devices: Any) -> None:
    """Refuse invalid devices; Lightning checks whether this machine has them."""
    if devices in ("auto", -1):
        return
    if isinstance(devices, (list, tuple)):
        valid = len(devices) == len(set(devices)) > 0 and all(isinstance(d, int) and d >= 0 for d in devices)
    else:
        valid = isinstance(devices, int) and not isinstance(devices, bool) and devices >= 1
    if not valid:
        raise UserError(
            f"devices: {devices!r} is not valid; valid: a count from 1, -1 for all, a list of different ones such as "
            "0,1, or auto"
        )


def _check_strategy(strategy: str) -> None:
    from pytorch_lightning.strategies import StrategyRegistry

    known = ("auto", *StrategyRegistry.available_strategies())
    if strategy not in known:
        raise unknown_choice("strategy", str(strategy), known)


def _devices(text: str) -> int | list[int]:
    """Parse devices: ``"2"`` -> 2, ``"0,3"`` -> [0, 3]."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"devices {text!r}: expected a count, a list such as 0,1, or auto") from None
    return numbers if "," in text else numbers[0]
