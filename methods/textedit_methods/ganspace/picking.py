"""Select the component for a text: the guiding CLIP replaces the person of the paper (ours)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.models.stylegan2 import images_at_once

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.stylegan2 import Generator
    from textedit_methods.ganspace.components import Components

_CHUNK = 32
"""Pictures per pass where memory allows them."""


class Rows(NamedTuple):
    """Rows of W+ from ``start`` to before ``end``."""

    start: int
    end: int


def row_ranges(rows: int) -> list[Rows]:
    """Return all rows, coarse, medium and fine ones, as far as the generator has them."""
    ranges = [Rows(0, rows), Rows(0, min(4, rows)), Rows(4, min(8, rows)), Rows(8, rows)]
    return list(dict.fromkeys(found for found in ranges if found.start < found.end))


@torch.no_grad()
def effects(generator: Generator, clip: ClipModel, components: Components, codes: Tensor, width: float) -> Tensor:
    """Compute the change of CLIP's unit embedding from ``-width`` to ``width`` deviations, [k, ranges, d], over codes.

    Args:
        generator, clip: what draws and what looks.
        components: of its W.
        codes: W+ codes [n, rows, w_dim] to start from.
        width: in deviations of each component.
    """
    device = codes.device
    ranges = row_ranges(codes.shape[1])
    steps = sent(components.comp * (width * components.std)[:, None], device, codes.dtype)
    at_once = images_at_once(generator.resolution, _CHUNK)
    found = []
    for step in steps:
        for rows in ranges:
            ends = codes.repeat(2, 1, 1)
            ends[: len(codes), rows.start : rows.end] += step
            ends[len(codes) :, rows.start : rows.end] -= step
            seen = [clip.encode_image(generator.synthesize(part, noise="const")) for part in ends.split(at_once)]
            plus, minus = F.normalize(torch.cat(seen), dim=-1).chunk(2)
            found.append((plus - minus).mean(0))
    return torch.stack(found).view(len(steps), len(ranges), -1).float().cpu()


class Pick(NamedTuple):
    """A component, the number of a row range, and a factor: 1 or -1 for the best candidate."""

    component: int
    range: int
    weight: float


def pick(changes: Tensor, direction: Tensor, rule: Literal["change", "cosine"], count: int = 1) -> list[Pick]:
    """Select the candidates whose change projects most on a text direction, the best one first.

    Args:
        changes: of `effects`, [k, ranges, d].
        direction: from the source text's embedding to the target's, [d].
        rule: ``change``: the longest projection; ``cosine``: the purest direction, which edits less and keeps more.
        count: how many; those after the best go less far, in the ratio of their products.
    """
    rows = F.normalize(changes, dim=-1) if rule == "cosine" else changes
    products = (rows @ direction).flatten()
    best = products.abs().argsort(descending=True, stable=True)[:count].tolist()
    largest = float(products[best[0]].abs()) or 1.0
    ranges = changes.shape[1]
    return [Pick(number // ranges, number % ranges, float(products[number]) / largest) for number in best]
