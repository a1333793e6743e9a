"""Run gradient descent on a batch of latent codes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from textedit_bench.finite import FiniteWatch

Terms = Callable[[Tensor], Mapping[str, Tensor]]
"""Codes [B, ...] -> the weighted terms of the loss by name, each [B]; a code's terms depend on no other code."""


def descend(
    start: Tensor, terms: Terms, steps: int, rate: Callable[[int], float], free: Tensor | None = None
) -> Tensor:
    """Return the codes after ``steps`` steps of Adam on the sum of the terms.

    Adam works coordinate by coordinate, so codes with independent losses get the same results as each alone. Gradients
    are computed only for the codes, never for a network, even if its parameters require them.

    Args:
        start: [B, ...]; not modified.
        terms: the terms of the loss.
        steps: number of steps.
        rate: step, counted from 0 -> learning rate.
        free: bool, in the shape of one code: coordinates that may change; all if None.

    Raises:
        DivergedError: a term is not finite.
    """
    watch = FiniteWatch("optimisation")
    with torch.inference_mode(False), torch.enable_grad():
        codes = start.detach().clone().requires_grad_(True)
        adam = torch.optim.Adam([codes], lr=0.0)
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate(step)
            found = terms(codes)
            watch.note(step + 1, found)
            (gradient,) = torch.autograd.grad(functools.reduce(torch.add, found.values()).sum(), [codes])
            codes.grad = gradient if free is None else gradient * free
            adam.step()
    watch.check()
    return codes.detach()
