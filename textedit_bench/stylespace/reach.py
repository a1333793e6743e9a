"""Measure which attributes the styles of the convolutions, which methods edit, control.

``python -m textedit_bench.stylespace.reach --dataset church [--pairs 48] [--json]``

Photos of the development split are inverted and put in pairs. Each first one is given the convolutions' styles of its
second, all of them and exactly; where an attribute in which they differ does not follow, no edit of those styles that
stays among pictures of the data set can ask for it. That is a limit of a method that leaves toRGB alone, not a fault.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.stylespace.channels import editable

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


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


@torch.no_grad()
def measure_reach(domain: Domain, pairs: int = 48) -> list[Reach]:
    """Measure for every attribute of a world how often the convolutions' styles control it.

    Args:
        domain: with a world and an oracle.
        pairs: of photos of the development split, at least 1.

    Raises:
        UserError: a data set without ground truth, or fewer photos than that.
    """
    world = domain.world
    if world is None:
        raise UserError(f"dataset: {domain.name}, tier {domain.tier}, has no world with known attributes")
    latents = domain.invert(domain.photos("development", 2 * pairs))
    generator, oracle = domain.generator, domain.network("oracle")
    styles = generator.to_style(latents)
    first, second = styles[:pairs], styles[pairs:]
    mixed = first.clone()
    channels = editable(generator)
    mixed[:, channels] = second[:, channels]

    def seen(codes: Tensor) -> Tensor:
        return oracle.predict(generator.synthesize_style(codes).clamp(-1, 1))

    source, wanted, reached = seen(first), seen(second), seen(mixed)
    rows = []
    for position, attribute in enumerate(world.attributes):
        differ = source[:, position] != wanted[:, position]
        found = reached[differ, position] == wanted[differ, position]
        rows.append(Reach(attribute.name, len(found), float(found.float().mean()) if len(found) else None))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or JSON.

    Raises:
        SystemExit: with 2 and one line for bad input.
    """
    parser = argparse.ArgumentParser(prog="python -m textedit_bench.stylespace.reach", description=__doc__)
    parser.add_argument("--dataset", required=True, help="a data set of the mini tier, or a card")
    parser.add_argument("--pairs", type=int, default=48, help="pairs of development photos (48)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.pairs < 1:
        parser.error(f"--pairs: {given.pairs} is out of range; valid: whole numbers from 1")
    try:
        rows = measure_reach(load_domain(given.dataset, "mini"), given.pairs)
    except UserError as error:
        parser.error(str(error))
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    width = max(len(row.attribute) for row in rows)
    for row in rows:
        share = "-" if row.follows is None else f"{100 * row.follows:.0f} %"
        print(f"{row.attribute:<{width}}  {share:>5}  of {row.pairs} pairs")


if __name__ == "__main__":
    main()
