"""``textedit-bench worlds check``: measure the quality of a world's networks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from textedit_bench.cli.options import Json, OneDataset
from textedit_bench.cli.output import print_columns, print_json


def check(
    dataset: OneDataset,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="PARTS", help="Some parts: oracle, clip, generator, inversion, ...; commas."),
    ] = None,
    readme: Annotated[
        bool,
        typer.Option("--write-readme", help="Write the figures to README.md in the folder of the data set's weights."),
    ] = False,
    json: Json = False,
) -> None:
    """Compare every network of a procedural world with its quality thresholds; exit code 1 if one is missed.

    Aims say what would be like a generator trained on photos; a missed one does not change the exit code.

    \b
    Examples:
      textedit-bench worlds check --dataset DATASET
      textedit-bench worlds check --dataset DATASET --only clip,judge_clip
    """
    from textedit_bench.cli.options import split_list
    from textedit_bench.cli.workshop import from_workshop
    from textedit_bench.data.destination import check_destination
    from textedit_bench.domain import load_domain
    from textedit_bench.errors import UserError, unknown_choice

    bars = from_workshop("worlds.check", "worlds check")

    parts = split_list("--only", only)
    for part in parts:
        if part not in bars.PARTS:
            raise unknown_choice("part", part, bars.PARTS)
    if readme and parts:
        raise UserError("--write-readme needs all parts; leave out --only")
    domain = load_domain(dataset, "mini")
    page = domain.path("generator").parent / "README.md"
    if readme:
        check_destination(page, field="--write-readme")
    figures = bars.check_world(domain, parts or bars.PARTS, report=lambda line: typer.echo(line, err=True))
    if json:
        print_json([{**asdict(f), "passed": f.passed} for f in figures])
    else:
        print_columns(bars.HEADER, bars.table(figures))
    if readme:
        typer.echo(bars.write_readme(domain, figures, page), err=True)
    aims = sum(f.aim and not f.passed and not f.fails for f in figures)
    if aims:
        typer.echo(f"{aims} of {len(figures)} figures miss an aim, which is no failure", err=True)
    missed = sum(f.fails for f in figures)
    if missed:
        typer.echo(f"{missed} of {len(figures)} figures are missing or below their bar", err=True)
        raise typer.Exit(1)
