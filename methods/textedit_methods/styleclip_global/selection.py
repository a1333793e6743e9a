"""From relevances to a step in style space: threshold, normalisation, standard deviations (paper, section 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.errors import UserError

AUTO_BETAS = tuple(hundredths / 100 for hundredths in range(29, 9, -1))
"""The published candidates, largest first: 0.29, 0.28, ..., 0.10."""


def automatic_beta(projection: Tensor, channels: int) -> float:
    """The largest candidate that keeps more than ``channels`` channels; the smallest one where none does.

    Args:
        projection: relevance of each channel to the text direction, [N].
        channels: published: 20 for faces, 100 for everything else.
    """
    for beta in AUTO_BETAS:
        if int((projection.abs() >= beta).sum()) > channels:
            return beta
    return AUTO_BETAS[-1]


def step(projection: Tensor, std: Tensor, beta: float) -> tuple[Tensor, int]:
    """The step at alpha 1: relevances below ``beta`` set to 0, the largest scaled to 1, times standard deviations.

    Args:
        projection: [N], of unit rows with a unit direction.
        std: standard deviation of each channel, [N].
        beta: threshold on the absolute relevance; a channel exactly at it is kept.

    Returns:
        The step [N] and the number of channels it changes.

    Raises:
        UserError: no channel reaches the threshold. (The released code divides by zero there.)
    """
    kept = projection.abs() >= beta
    largest = float(projection.abs().max())
    if not kept.any() or largest == 0:
        raise UserError(
            f"beta: no channel reaches {beta:g}, the most relevant of {len(projection)} has {largest:.3f}; "
            "lower it with --set beta=NUMBER, or ask for a text that differs more from its source"
        )
    chosen = torch.where(kept, projection, torch.zeros_like(projection))
    return chosen / largest * std, int(kept.sum())
