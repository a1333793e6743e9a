"""Take Ranger's steps, the optimiser of the released mapper trainers: rectified Adam, lookahead and centred gradients.

Sources: Liu et al. 2020 (RAdam), arXiv 1908.03265, alg. 2; Zhang et al. 2019 (lookahead), arXiv 1907.08610, alg. 1;
Yong et al. 2020 (gradient centralisation), arXiv 2004.01461, eq. 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Ranger(torch.optim.Optimizer):
    """The optimiser with StyleCLIP's constants, without weight decay.

    Args:
        params: parameters or groups of them.
        lr: step size.
    """

    BETAS = 0.95, 0.999
    """Decay of the first and second moment."""
    EPS = 1e-5
    """Added to the root of the second moment before the bias correction, so early it acts as a larger one."""
    LOOKAHEAD_STEPS, LOOKAHEAD_RATE = 6, 0.5
    """Fast steps between two updates of the slow weights, and how far these move towards the fast ones."""
    RECTIFY_ABOVE = 5.0
    """Length of the approximated average up to which the step is the first moment alone."""

    def __init__(self, params: Iterable[Any], lr: float = 0.5) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; returns the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"])
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["slow"] = parameter.clone()
        if gradient.ndim > 1:
            gradient = gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)
        first, second = self.BETAS
        state["step"] += 1
        step: int = state["step"]
        state["mean"].mul_(first).add_(gradient, alpha=1 - first)
        state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        rate = rate / (1 - first**step)
        rectification = self._rectification(step)
        if rectification is None:
            parameter.add_(state["mean"], alpha=-rate)
        else:
            parameter.addcdiv_(state["mean"], state["square"].sqrt().add_(self.EPS), value=-rate * rectification)
        if step % self.LOOKAHEAD_STEPS == 0:
            state["slow"].lerp_(parameter, self.LOOKAHEAD_RATE)
            parameter.copy_(state["slow"])

    def _rectification(self, step: int) -> float | None:
        """Variance rectification times the second moment's bias correction; None while the average is too short."""
        decay = self.BETAS[1]
        power = decay**step
        longest = 2 / (1 - decay) - 1
        length = longest - 2 * step * power / (1 - power)
        if length <= self.RECTIFY_ABOVE:
            return None
        spread = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
        return math.sqrt((1 - power) * spread)
