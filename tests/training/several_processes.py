"""A small training on any number of CPU processes: ``several_processes.py FOLDER DEVICES``; curves go to the folder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from textedit_bench.training import EditorModule, LatentData, RunOptions, train


class Regression(EditorModule):
    """Learns to double the codes of condition 1 and to keep the others."""

    def terms(self, network, batch):
        wanted = batch["codes"] * (1 + (batch["choice"] == 1).float().view(-1, 1, 1))
        error = (network(batch["codes"]) - wanted).square()
        return {"error": error.mean(), "size": 1e-3 * network(batch["codes"]).abs().mean()}

    def total(self, terms):
        return terms["error"] + terms["size"]


def main() -> None:
    folder, devices = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    codes = torch.randn(80, 3, 4, generator=torch.Generator().manual_seed(1))
    network = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 4))
    domain = SimpleNamespace(device=torch.device("cpu"), card=None, tier="mini")
    module = Regression(network, domain, learning_rate=1e-2, milestones=(2,), warmup_steps=5, ema_decay=0.9)
    data = LatentData(codes, batch_size=8, steps_per_epoch=40, choice_weights=torch.ones(2), validation=16)
    several = {"devices": devices, "strategy": "ddp"} if devices > 1 else {}
    options = RunOptions(folder=folder, progress=False, preview_images=0, logger="csv", **several)
    train(module, data, options, name="regression", identity={}, epochs=3)


if __name__ == "__main__":
    main()
