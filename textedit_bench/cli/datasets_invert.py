"""``textedit-bench datasets invert``: compute and store the codes of a data set's photos."""

from __future__ import annotations

from typing import Annotated

import typer

from textedit_bench.cli.options import Device, Json, OneDataset, Source, Tier
from textedit_bench.cli.output import print_json
from textedit_bench.data.destination import check_folder
from textedit_bench.errors import UserError
from textedit_bench.places import HOME, home

SHOWN = 20


def invert(
    dataset: OneDataset,
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="train, development or evaluation.")] = (
        "evaluation"
    ),
    number: Annotated[
        int | None, typer.Option("--number", "-n", metavar="N", help="Only the first N photos; default: all.")
    ] = None,
    source: Source = None,
    tier: Tier = "full",
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Invert the photos of a split; stored inversions are reused, so a repeated command continues a stopped run.

    Several processes may work on one data set. Unusable images are skipped, counted and listed.

    \b
    Examples:
      textedit-bench datasets invert --dataset DATASET
      textedit-bench datasets invert --dataset DATASET --split train --number 1000 --device cuda
    """
    if number is not None and number < 1:
        raise UserError(f"--number: {number} is out of range; valid: whole numbers from 1")
    check_folder(home(), HOME)
    from textedit_bench.domain import load_domain

    domain = load_domain(dataset, tier, device, source)
    if domain.tier_card.source is None and domain.world is None:
        raise UserError(f"data set {domain.name}, tier {domain.tier}: no image source is configured")
    if not domain.tier_card.has_photos:
        what = "renders" if domain.world is not None else "codes"
        raise UserError(f"data set {domain.name}, tier {domain.tier}: its photos are {what}; there is nothing to keep")
    from textedit_bench.inverters import invert_split

    done = invert_split(domain, split, number, lambda line: typer.echo(line, err=True))
    if json:
        print_json(done.to_json())
        return
    used = f"{done.photos} photos" if done.photos == done.asked else f"{done.photos} of {done.asked} photos asked for"
    typer.echo(f"{domain.name} {split}: {used}, {done.inverted} inverted now, kept in {done.folder}")
    if done.skipped:
        typer.echo(f"{len(done.skipped)} skipped:")
        for skipped in done.skipped[:SHOWN]:
            typer.echo(f"  {skipped.key}: {skipped.reason}")
        if len(done.skipped) > SHOWN:
            typer.echo("  ... (all of them: --json)")
