"""``textedit-bench worlds``: inspect the procedural worlds of the mini tier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.group import new_app
from textedit_bench.cli.options import OneDataset

worlds = new_app(help="Inspect the procedural worlds of the mini tier, and rebuild their networks.")

KINDS = ("renders", "samples", "inversions")


def sheet(
    dataset: OneDataset,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="renders, samples (of the generator) or inversions.")
    ] = "renders",
    number: Annotated[int, typer.Option("--number", "-n", metavar="N", help="Number of pictures.")] = 64,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Random seed.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Picture to write.")] = Path(
        "sheet.png"
    ),
) -> None:
    """Draw a sheet of pictures: renders, samples of the generator, or inversions.

    \b
    Examples:
      textedit-bench worlds sheet --dataset DATASET
      textedit-bench worlds sheet --dataset DATASET --kind samples -o samples.png
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.data.photo import write_grid
    from textedit_bench.data.pixels import FORMATS
    from textedit_bench.errors import UserError, unknown_choice

    if kind not in KINDS:
        raise unknown_choice("kind", kind, KINDS)
    if not 1 <= number <= 4096:
        raise UserError(f"--number: {number} is out of range; valid: 1 to 4096")
    check_destination(output, FORMATS)
    from textedit_bench.domain import load_domain
    from textedit_bench.worlds.sheet import pictures

    write_grid(pictures(load_domain(dataset, "mini"), kind, number, seed), output)
    typer.echo(output)
