"""A head start for short trainings (ours): regression from CLIP features to codes, of photos or of samples."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.finite import FiniteWatch
from textedit_bench.training.data import stream
from textedit_methods.clip2gan.network import ClipMapping

LEARNING_RATE = 2e-3
BATCH_SIZE = 64


def regress_codes(network: ClipMapping, features: Tensor, codes: Tensor, steps: int, seed: int) -> float:
    """Fit M(f) to the codes by mean squared error, in place.

    A step sees no picture, so it costs next to nothing; what it cannot learn is what the pictures' losses are for:
    the encoder's own errors, and everything about which CLIP says too little to fix the code.

    Args:
        network: to be trained.
        features: [M, d].
        codes: [M, rows, w_dim] of the same pictures.
        steps: of Adam, with one cycle of the learning rate.
        seed: of the batches.

    Returns:
        The loss of the last tenth of the steps.

    Raises:
        DivergedError: the loss became nan or infinite.
    """
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(steps, 2))
    random = stream("regression to codes", seed)
    losses, watch = [], FiniteWatch("regression to codes")
    for step in range(1, steps + 1):
        picked = torch.randint(len(features), (BATCH_SIZE,), generator=random)
        loss = (network(features[picked]) - codes[picked]).square().mean()
        watch.note(step, {"loss": loss})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    last = losses[-max(1, steps // 10) :]
    return sum(last) / len(last)
