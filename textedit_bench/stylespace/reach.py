"""Measure which attributes the styles of the convolutions, which methods edit, control.

``python -m textedit_bench.stylespace.reach --dataset church [--pairs 48] [--single 10] [--json]``

Photos of the development split are inverted and put in pairs. Each first one is given the convolutions' styles of its
second, all of them and exactly; where an attribute in which they differ does not follow, no edit of those styles that
stays among pictures of the data set can ask for it. That is a limit of a method that leaves toRGB alone, not a fault.

With ``--single DEVIATIONS`` one channel at a time moves instead, by so many standard deviations to either side, and the
oracle picks the best channel of every attribute value: what no method of a single channel can exceed on these photos.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.stylespace.statistics import Sampling, editable, measure

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.world import World

_SAMPLES, _WIDTH = 2000, 24


@dataclass(frozen=True)
class Reach:
    """The result for one attribute.

    Attributes:
        attribute: its name.
        pairs: pairs whose inversions differ in it, by the oracle.
        follows: share of them in which it follows the convolutions' styles; None without pairs.
    """

    attribute: str
    pairs: int
    follows: float | None


@dataclass(frozen=True)
class BestChannel:
    """The best single channel for one attribute value.

    Attributes:
        attribute, value: names.
        photos: whose inversion shows another value, by the oracle.
        reached: largest share of them that one channel brings to the value; None without photos.
    """

    attribute: str
    value: str
    photos: int
    reached: float | None


@torch.no_grad()
def measure_reach(domain: Domain, pairs: int = 48) -> list[Reach]:
    """Measure for every attribute of a world how often the convolutions' styles control it.

    Args:
        domain: with a world and an oracle.
        pairs: of photos of the development split, at least 1.

    Raises:
        UserError: a data set without ground truth, or fewer photos than that.
    """
    world = _world(domain)
    latents = domain.invert(domain.photos("development", 2 * pairs))
    generator = domain.generator
    styles = generator.to_style(latents)
    first, second = styles[:pairs], styles[pairs:]
    mixed = first.clone()
    channels = editable(generator)
    mixed[:, channels] = second[:, channels]

    source, wanted, reached = (_seen(domain, codes) for codes in (first, second, mixed))
    rows = []
    for position, attribute in enumerate(world.attributes):
        differ = source[:, position] != wanted[:, position]
        found = reached[differ, position] == wanted[differ, position]
        rows.append(Reach(attribute.name, len(found), float(found.float().mean()) if len(found) else None))
    return rows


@torch.no_grad()
def measure_single_channels(domain: Domain, photos: int = 48, deviations: float = 10.0) -> list[BestChannel]:
    """Measure for every attribute value how often the best single channel of the convolutions brings it.

    Args:
        domain: with a world and an oracle.
        photos: of the development split, at least 1.
        deviations: by which a channel moves, to either side.

    Raises:
        UserError: a data set without ground truth, or fewer photos than that.
    """
    world, generator = _world(domain), domain.generator
    styles = generator.to_style(domain.invert(domain.photos("development", photos)))
    channels = editable(generator)
    spread = measure(generator, channels, Sampling(samples=_SAMPLES, truncation=1.0)).std
    before, after = _seen(domain, styles), []
    for channel, step in zip(channels.tolist(), (deviations * spread).tolist(), strict=True):
        for sign in (1, -1):
            moved = styles.clone()
            moved[:, channel] += sign * step
            after.append(_seen(domain, moved))
    edited = torch.stack(after)  # [2 * channels, photos, attributes]
    rows = []
    for position, attribute in enumerate(world.attributes):
        for number, value in enumerate(attribute.values):
            asked = (before[:, position] != number).nonzero().squeeze(1)
            shares = (edited[:, asked, position] == number).float().mean(1)
            rows.append(BestChannel(attribute.name, value, len(asked), float(shares.max()) if len(asked) else None))
    return rows


def _seen(domain: Domain, styles: Tensor) -> Tensor:
    """Return the value indices [B, attributes] that the oracle sees in the pictures of style codes, on the CPU."""
    return domain.network("oracle").predict(domain.generator.synthesize_style(styles).clamp(-1, 1)).cpu()


def _world(domain: Domain) -> World:
    if domain.world is None:
        raise UserError(f"dataset: {domain.name}, tier {domain.tier}, has no world with known attributes")
    return domain.world


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or JSON.

    Raises:
        SystemExit: with 2 and one line for bad input.
    """
    parser = argparse.ArgumentParser(prog="python -m textedit_bench.stylespace.reach", description=__doc__)
    parser.add_argument("--dataset", required=True, help="a data set of the mini tier, or a card")
    parser.add_argument("--pairs", type=int, default=48, help="pairs of development photos (48)")
    parser.add_argument("--single", type=float, metavar="DEVIATIONS", help="move one channel at a time by that much")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error(f"--pairs: {given.pairs} is out of range; valid: whole numbers from 1")
    if given.single is not None and not 0 < given.single < math.inf:
        parser.error(f"--single: {given.single:g} is out of range; valid: numbers above 0")
    rows: Sequence[Reach | BestChannel]
    try:
        domain = load_domain(given.dataset, "mini")
        if given.single is None:
            rows = measure_reach(domain, given.pairs)
        else:
            rows = measure_single_channels(domain, 2 * given.pairs, given.single)
    except UserError as error:
        parser.error(str(error))
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        *names, count, share = asdict(row).values()
        shown = "-" if share is None else f"{100 * share:.0f} %"
        print(f"{' '.join(names):<{_WIDTH}}  {shown:>5}  of {count} {'pairs' if given.single is None else 'photos'}")


if __name__ == "__main__":
    main()
