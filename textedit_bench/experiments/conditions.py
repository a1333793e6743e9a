"""The conditions under which an experiment is run."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from textedit_bench.data.card import TIERS
from textedit_bench.devices import STANDARD_THREADS
from textedit_bench.errors import unknown_choice


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The user's options for running an experiment.

    Attributes:
        results: folder of the results; the experiment's cells are those of the bench.
        tier: ``mini``, ``full`` or ``auto``.
        device: ``cpu``, ``cuda`` or ``cuda:<index>``.
        threads: CPU threads of a cell.
        checkpoints: folder of this machine's trainings, with their cost.
        command: the command line that was typed, for the record.
    """

    results: Path = Path("results")
    tier: str = "auto"
    device: str = "cpu"
    threads: int = STANDARD_THREADS
    checkpoints: Path = Path("checkpoints")
    command: str = ""

    def __post_init__(self) -> None:
        """Validate what does not depend on a card.

        Raises:
            UserError: an unknown tier or device.
        """
        if self.tier not in ("auto", *TIERS):
            raise unknown_choice("tier", self.tier, ("auto", *TIERS))
        if self.device != "cpu":
            from textedit_bench.devices import checked_device

            checked_device(self.device)

    def folder(self, tier: str) -> Path:
        """Folder of the tables of a tier's experiments."""
        return self.results / tier / "experiments"


def device_name(device: str, threads: int) -> str:
    """Describe the device of a time measurement."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(torch.device(device))
    return f"{_processor()}, {threads} threads"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
