"""Run gradient descent on a batch of latent codes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Latents
from textedit_bench.finite import FiniteWatch
from textedit_bench.ranges import MACHINE, check_whole
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

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


@torch.no_grad()
def draw_starts(domain: Domain, n: int, seed: int, truncation: float) -> Latents:
    """Draw the W+ codes from which a generation descends; image i is the same for every ``n``.

    Args:
        domain: of the generator.
        n: number of codes.
        seed: of the draws.
        truncation: of the codes: 1 changes nothing, 0 gives the mean of W.

    Raises:
        UserError: n or the seed is out of range.
    """
    check_whole("n", n, low=1)
    check_whole("seed", seed, low=0, below=MACHINE)
    generator = domain.generator
    streams = (torch.Generator().manual_seed(seed_of(seed=seed, image=i)) for i in range(n))
    z = sent(torch.stack([torch.randn(generator.z_dim, generator=stream) for stream in streams]), domain.device)
    codes = generator.broadcast(generator.truncate(generator.map(z), truncation)).clone()
    return Latents(codes, "w+", ids=tuple(f"generated-{seed}-{i}" for i in range(n)))
