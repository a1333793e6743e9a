"""Gradient descent on codes, many at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from textedit_methods.styleclip_optimization.schedule import learning_rate


def descend(
    start: Tensor, objective: Callable[[Tensor], Tensor], steps: int, peak_rate: float, free: Tensor | None = None
) -> Tensor:
    """Codes after ``steps`` steps of Adam with the published schedule.

    Adam works coordinate by coordinate, so codes whose losses are independent end where each would end alone. Gradients
    are taken of the codes only: no network is given any, even one whose parameters ask for them.

    Args:
        start: [B, ...]; not modified.
        objective: codes -> loss of each code, [B].
        steps: how many.
        peak_rate: of the schedule.
        free: bool, in the shape of one code: coordinates that may move; all where None.

    Returns:
        The codes after the last step. (The released script returns the picture from before it; the rate is nearly 0
        there.)
    """
    with torch.inference_mode(False), torch.enable_grad():
        codes = start.detach().clone().requires_grad_(True)
        adam = torch.optim.Adam([codes], lr=0.0)
        for step in range(steps):
            adam.param_groups[0]["lr"] = learning_rate(step, steps, peak_rate)
            (gradient,) = torch.autograd.grad(objective(codes).sum(), [codes])
            codes.grad = gradient if free is None else gradient * free
            adam.step()
    return codes.detach()
