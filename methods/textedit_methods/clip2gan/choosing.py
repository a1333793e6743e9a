"""Which of several draws a generated picture keeps (ours): the closest to the text that shows another subject."""

from __future__ import annotations

import torch
from torch import Tensor


def choose_distinct(scores: Tensor, subjects: Tensor | None, threshold: float) -> Tensor:
    """One draw for each picture, decided in their order, so that the first k of n are the same for every n >= k.

    Of a picture's draws, those whose subject was not seen before it are compared by their score. Where every draw
    shows a subject seen before, the least similar one is kept.

    Args:
        scores: closeness to the text, [n, draws].
        subjects: unit embeddings [n, draws, d] of a similarity network; None where there is none to tell.
        threshold: cosine at and above which two pictures show one subject.

    Returns:
        [n], positions among the draws.
    """
    kept: list[int] = []
    seen: list[Tensor] = []
    for i, row in enumerate(scores):
        best = int(row.argmax())
        if subjects is not None:
            if seen:
                nearest = (subjects[i] @ torch.stack(seen).T).amax(dim=1)
                new = nearest < threshold
                best = int(row.masked_fill(~new, -torch.inf).argmax() if new.any() else nearest.argmin())
            seen.append(subjects[i, best])
        kept.append(best)
    return torch.tensor(kept, dtype=torch.long)
