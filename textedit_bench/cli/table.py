"""``textedit-bench table``: print the stored comparison table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.options import Results

FORMATS = ("md", "csv", "tex", "html")


def table(
    tier: Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")] = "mini",
    form: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="md, csv, tex or html.")] = "md",
    cost: Annotated[bool, typer.Option("--cost", help="Times and memory instead of scores (md or csv).")] = False,
    results: Results = Path("results"),
) -> None:
    """Print the table that the last bench or score wrote; each tier has its own table.

    \b
    Examples:
      textedit-bench table
      textedit-bench table --format tex --results results/reference
      textedit-bench table --cost
    """
    from textedit_bench.data.card import TIERS
    from textedit_bench.errors import UserError, unknown_choice

    formats = FORMATS[:2] if cost else FORMATS
    if tier not in TIERS:
        raise unknown_choice("tier", tier, TIERS)
    if form not in formats:
        raise unknown_choice("format", form, formats)
    path = results / tier / f"{'cost' if cost else 'table'}.{form}"
    if not path.is_file():
        raise UserError(f"results {results}: there is no table of tier {tier} (expected {path}); run bench first")
    typer.echo(path.read_text(encoding="utf-8"), nl=False)
