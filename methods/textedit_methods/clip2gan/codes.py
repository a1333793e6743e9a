"""Fit the mapping network to codes, without pictures: before its run, and what CLIP misses after it (both ours)."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from textedit_bench.finite import FiniteWatch
from textedit_bench.training.data import stream
from textedit_methods.clip2gan.network import ClipMapping

log = logging.getLogger(__name__)

_LEARNING_RATE, _BATCH = 2e-3, 64


def regress_codes(network: ClipMapping, features: Tensor, codes: Tensor, steps: int, seed: int) -> float:
    """Fit M(f) of features [M, d] to their codes [M, rows, w_dim], in place, as initialisation (ours).

    A step, of Adam on the mean squared error, sees no picture, so it costs next to nothing; what it cannot learn is
    what the pictures' losses are for: the encoder's own errors, and everything about which CLIP says too little.

    Returns:
        The loss of the last tenth of the steps.

    Raises:
        DivergedError: the loss became nan or infinite.
    """
    optimizer = torch.optim.Adam(network.parameters(), _LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=max(steps, 2))
    random = stream("regression to codes", seed)
    seen, watch = [], FiniteWatch("regression to codes")
    for step in range(1, steps + 1):
        picked = torch.randint(len(features), (_BATCH,), generator=random)
        loss = (network(features[picked]) - codes[picked]).square().mean()
        watch.note(step, {"loss": loss})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        seen.append(float(loss.detach()))
    last = seen[-max(1, steps // 10) :]
    return sum(last) / len(last)


@torch.no_grad()
def fit_rest(network: ClipMapping, features: Tensor, codes: Tensor) -> float:
    """Fit ``rest_basis`` of a trained network, in place and on the CPU, to the variation that CLIP misses (ours).

    A CLIP feature says little of which individual a picture shows. What it does not say, no text can ask for: with the
    setting ``keep_rest`` a text's direction has no part along these. And as the mapping network gives all pictures of a
    text one average individual, generation draws along them, as much as photos spread there. They are the principal
    directions of codes [M, rows, w_dim] - M(features [M, d]), orthogonal, each as long as codes deviate along it.

    Returns:
        The share of the differences' variance that the directions hold.
    """
    rank = len(network.rest_basis)
    differences = (codes - network.cpu()(features)).flatten(1).double()
    differences -= differences.mean(0)
    variances, directions = torch.linalg.eigh(differences.T @ differences / len(differences))
    kept_directions = directions[:, -rank:]
    spread = (codes.flatten(1).double() @ kept_directions).std(0)
    network.rest_basis.copy_(kept_directions.T * spread[:, None])
    share = float(variances[-rank:].clamp(min=0).sum() / variances.sum())
    log.info("clip2gan: %d directions hold %.0f %% of the variance that CLIP does not explain", rank, 100 * share)
    return share
