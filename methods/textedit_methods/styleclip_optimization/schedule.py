"""The learning rate of the latent optimisation, as released."""

from __future__ import annotations

import math

WARM_UP = 0.05
RAMP_DOWN = 0.25


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Rate of one step: linear over the first 5 %, flat, cosine to zero over the last 25 %.

    Step 0 has rate 0: it moves nothing, but its gradient enters Adam's averages, as in the released loop.

    Args:
        step: from 0.
        steps: how many there are.
        peak: the flat part.
    """
    t = step / steps
    down = min(1.0, (1.0 - t) / RAMP_DOWN)
    return peak * (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, t / WARM_UP)
