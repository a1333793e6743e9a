"""Ranger, the optimiser of the released mapper trainer: rectified Adam, lookahead and centred gradients in one.

Sources: Liu et al. 2020 (RAdam), arXiv 1908.03265, alg. 2; Zhang et al. 2019 (lookahead), arXiv 1907.08610, alg. 1;
Yong et al. 2020 (gradient centralisation), arXiv 2004.01461, eq. 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Ranger(Optimizer):
    """The defaults are those of StyleCLIP, without weight decay.

    Args:
        params: parameters or groups of them.
        lr: step size.
        betas: decay of the first and second moment.
        eps: added to the root of the second moment before the bias correction, so early it acts as a larger one.
        lookahead_steps: fast steps between two updates of the slow weights.
        lookahead_rate: how far the slow weights move towards the fast ones.
        rectify_above: length of the approximated average from which on the second moment is used; below it, the step is
            the first moment alone.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.5,
        betas: tuple[float, float] = (0.95, 0.999),
        eps: float = 1e-5,
        lookahead_steps: int = 6,
        lookahead_rate: float = 0.5,
        rectify_above: float = 5.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "lookahead_steps": lookahead_steps,
            "lookahead_rate": lookahead_rate,
            "rectify_above": rectify_above,
        }
        super().__init__(params, defaults)

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
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
            state["slow"] = parameter.clone()
        if gradient.ndim > 1:
            gradient = gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)
        first, second = group["betas"]
        state["step"] += 1
        step: int = state["step"]
        state["mean"].mul_(first).add_(gradient, alpha=1 - first)
        state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        rate = group["lr"] / (1 - first**step)
        rectification = _rectification(step, second, group["rectify_above"])
        if rectification is None:
            parameter.add_(state["mean"], alpha=-rate)
        else:
            parameter.addcdiv_(state["mean"], state["square"].sqrt().add_(group["eps"]), value=-rate * rectification)
        if step % group["lookahead_steps"] == 0:
            state["slow"].lerp_(parameter, group["lookahead_rate"])
            parameter.copy_(state["slow"])


def _rectification(step: int, decay: float, above: float) -> float | None:
    """RAdam's variance rectification times the second moment's bias correction; None while the average is too short."""
    power = decay**step
    longest = 2 / (1 - decay) - 1
    length = longest - 2 * step * power / (1 - power)
    if length <= above:
        return None
    spread = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
    return math.sqrt((1 - power) * spread)
