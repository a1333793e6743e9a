"""Generate pictures that resemble edits, with their truth, for training oracles.

An edit that overshoots, or changes other attributes, differs from any render. An oracle that saw renders alone
guesses there. The pictures here are steps in W from one drawing towards another that differs in one attribute, of the
right length or too long, with noise on every row; their truth is the drawing they step towards. No editor and no judge
takes part.
"""

from __future__ import annotations

import torch

from textedit_bench.levels import to_levels
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.world import Factors, World, concatenate
from textedit_workshop.worlds.codes import FactorCodes
from textedit_workshop.worlds.training.pool import Pool, render_pool

STEP = (0.8, 1.8)
"""Length of the step, as a multiple of the way to the other drawing."""
ROW_NOISE = 0.25
"""Largest standard deviation of the noise in all directions."""


@torch.no_grad()
def edited_pool(world: World, generator: Generator, count: int, seed: int, batch_size: int = 64) -> Pool:
    """Draw ``count`` pictures; a pure function of world, generator, count and seed."""
    codes_of = FactorCodes(world.space, generator)
    stream = torch.Generator().manual_seed(seed)
    pixels, drawn = [], []
    for start in range(0, count, batch_size):
        n = min(batch_size, count - start)
        before = world.sample(n, stream)
        after = _one_changed(world, before, stream)
        low, high = STEP
        length = low + (high - low) * torch.rand(n, 1, generator=stream)
        start_w, end_w = codes_of.w(before), codes_of.w(after)
        w = start_w + length * (end_w - start_w)
        codes = w[:, None] + codes_of.noise(n, generator.num_rows, stream)
        rows = torch.rand(n, 1, 1, generator=stream)
        codes = codes + ROW_NOISE * rows * torch.randn(codes.shape, generator=stream)
        pixels.append(to_levels(generator.synthesize(codes)))
        drawn.append(after)
    factors = concatenate(drawn)
    return Pool(torch.cat(pixels), factors, render_pool(world, factors).visible)


def together(first: Pool, second: Pool) -> Pool:
    """Concatenate both pools."""
    return Pool(
        torch.cat([first.pixels, second.pixels]),
        concatenate([first.factors, second.factors]),
        torch.cat([first.visible, second.visible]),
    )


def _one_changed(world: World, factors: Factors, stream: torch.Generator) -> Factors:
    """Change one random attribute of each drawing to another random value."""
    values = factors.attributes.clone()
    which = torch.randint(len(world.attributes), (len(factors),), generator=stream)
    for row, column in enumerate(which.tolist()):
        count = len(world.attributes[column].values)
        values[row, column] = (values[row, column] + int(torch.randint(1, count, (1,), generator=stream))) % count
    return Factors(values, factors.identity, factors.nuisance)
