"""Which of several draws a generated picture keeps (ours): close to the text, and unlike the pictures before it."""

from __future__ import annotations

import torch
from torch import Tensor


def choose_distinct(scores: Tensor, subjects: Tensor | None) -> Tensor:
    """One draw for each picture, decided in their order, so that the first k of n are the same for every n >= k.

    Of the better half of a picture's draws by their score, the one is kept whose nearest picture before it is furthest
    away; the best draw where there is no picture before it, or no network to tell them apart.

    Args:
        scores: closeness to the text, [n, draws].
        subjects: unit embeddings [n, draws, d] of a similarity network; None where there is none.

    Returns:
        [n], positions among the draws, on the CPU.
    """
    if subjects is not None:
        subjects = subjects.cpu()  # once, instead of a wait for every picture
    better = scores.cpu().topk((scores.shape[1] + 1) // 2, dim=1).indices
    kept: list[int] = []
    seen: list[Tensor] = []
    for i, half in enumerate(better):
        best = int(half[0])
        if subjects is not None:
            if seen:
                nearest = (subjects[i, half] @ torch.stack(seen).T).amax(dim=1)
                best = int(half[nearest.argmin()])
            seen.append(subjects[i, best])
        kept.append(best)
    return torch.tensor(kept, dtype=torch.long)
